#include "kvm/vcpu.h"

#include <linux/kvm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kvm/entries.h"
#include "kvm/error.h"
#include "kvm/ioctl.h"

namespace hltest::internal::kvm {
namespace {

// KVM_GET_MSRS and KVM_SET_MSRS refuse 256 and more (MAX_IO_MSRS in the kernel's x86.c).
constexpr std::size_t kMostMsrsAtOnce = 255;

}  // namespace

Vcpu::Vcpu(UniqueFd fd, std::size_t mmap_size)
    : fd_(std::move(fd)), run_(Mapping::shared(fd_, mmap_size)) {}

void Vcpu::set_cpuid(std::span<const CpuidEntry> entries) {
  std::vector<kvm_cpuid_entry2> raw;
  raw.reserve(entries.size());
  for (const CpuidEntry& entry : entries) raw.push_back(to_kvm(entry));
  Entries<CpuidHeader, kvm_cpuid_entry2>{std::span{std::as_const(raw)}}.call(
      fd_, kSetCpuid2, fmt::format("{} entries", entries.size()));
}

std::vector<CpuidEntry> Vcpu::cpuid(std::size_t count) const {
  Entries<CpuidHeader, kvm_cpuid_entry2> raw{count};
  raw.call(fd_, kGetCpuid2, fmt::format("room for {} entries", count));
  std::vector<CpuidEntry> entries;
  for (const kvm_cpuid_entry2& entry : raw.entries()) entries.push_back(from_kvm(entry));
  return entries;
}

std::vector<MsrValue> Vcpu::msrs(std::span<const Msr> msrs) const {
  std::vector<MsrValue> values;
  std::vector<kvm_msr_entry> wanted;
  for (const Msr msr : msrs) {
    wanted.push_back({.index = static_cast<std::uint32_t>(msr), .reserved = 0, .data = 0});
  }
  // KVM stops at the first that it does not have.
  for (std::span<const kvm_msr_entry> left = wanted; !left.empty();) {
    const auto part = left.first(std::min(left.size(), kMostMsrsAtOnce));
    Entries<MsrsHeader, kvm_msr_entry> raw{part};
    const auto done = static_cast<std::size_t>(
        raw.call(fd_, kGetMsrs, fmt::format("{} from {:#x} on", part.size(), part[0].index)));
    const std::vector<kvm_msr_entry> entries = raw.entries();
    for (const kvm_msr_entry& entry : std::span{entries}.first(done)) {
      values.push_back({.msr = Msr{entry.index}, .value = entry.data});
    }
    left = left.subspan(done == part.size() ? done : done + 1);
  }
  return values;
}

std::optional<std::uint64_t> Vcpu::msr(Msr msr) const {
  const std::vector<MsrValue> values = msrs(std::span{&msr, 1});
  return values.empty() ? std::nullopt : std::optional{values.front().value};
}

std::optional<MsrValue> Vcpu::set_msrs(std::span<const MsrValue> msrs) {
  while (!msrs.empty()) {
    const auto part = msrs.first(std::min(msrs.size(), kMostMsrsAtOnce));
    std::vector<kvm_msr_entry> wanted;
    for (const MsrValue& msr : part) {
      wanted.push_back(
          {.index = static_cast<std::uint32_t>(msr.msr), .reserved = 0, .data = msr.value});
    }
    Entries<MsrsHeader, kvm_msr_entry> raw{std::span{std::as_const(wanted)}};
    const auto done = static_cast<std::size_t>(
        raw.call(fd_, kSetMsrs, fmt::format("{} from {:#x} on", wanted.size(), wanted[0].index)));
    if (done < part.size()) return part[done];
    msrs = msrs.subspan(done);
  }
  return std::nullopt;
}

void Vcpu::set_single_step(bool single_step) {
  kvm_guest_debug debug{};
  debug.control = single_step ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0;
  call(fd_, kSetGuestDebug, debug);
}

void Vcpu::set_breakpoints(std::span<const Gva> addresses) {
  kvm_guest_debug debug{};
  // SDM vol. 3, 18.2.4: the global enable bits of DR7; type and length 0 are an instruction.
  constexpr std::uint64_t kFixed = 0x400;
  debug.control = addresses.empty() ? 0 : KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
  debug.arch.debugreg[7] = kFixed;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    debug.arch.debugreg[i] = addresses[i].value();
    debug.arch.debugreg[7] |= 2ULL << (2 * i);
  }
  call(fd_, kSetGuestDebug, debug);
}

void Vcpu::answer_msr(std::uint64_t value) {
  shared().msr.data = value;
  shared().msr.error = 0;
}

void Vcpu::refuse_msr() { shared().msr.error = 1; }

bool Vcpu::is_ready_for_interrupt() const {
  return shared().ready_for_interrupt_injection != 0 && shared().if_flag != 0;
}

void Vcpu::inject_interrupt(Vector vector) {
  kvm_interrupt interrupt{.irq = static_cast<std::uint32_t>(vector)};
  call(fd_, kInterrupt, interrupt, fmt::format("vector {:#x}", interrupt.irq));
}

void Vcpu::inject_nmi() { call(fd_, kNmi, 0, "an NMI"); }

void Vcpu::request_interrupt_window(bool request) {
  shared().request_interrupt_window = request ? 1 : 0;
}

void Vcpu::set_signal_mask(const sigset_t& mask) {
  // The kernel's signal set is 8 bytes, the head of glibc's larger one.
  constexpr std::size_t kKernelSet = 8;
  const SignalMaskHeader header{.len = kKernelSet};
  std::array<std::uint8_t, sizeof header + kKernelSet> buffer{};
  std::memcpy(buffer.data(), &header, sizeof header);
  std::memcpy(buffer.data() + sizeof header, &mask, kKernelSet);
  call_raw(fd_, kSetSignalMask.name, kSetSignalMask.number, buffer.data(), {});
}

Exit Vcpu::run() {
  const int result = posix::ioctl(fd_.get(), kRun.number, 0);
  if (result < 0) {
    if (errno == EINTR) return InterruptedExit{};
    throw HostError(kRun.name, errno);
  }
  return decode_exit(shared(), run_.bytes());
}

Exit Vcpu::complete_instruction() {
  struct ImmediateExit {
    explicit ImmediateExit(kvm_run& run) : run_(run) { run_.immediate_exit = 1; }
    ImmediateExit(const ImmediateExit&) = delete;
    ImmediateExit& operator=(const ImmediateExit&) = delete;
    ~ImmediateExit() { run_.immediate_exit = 0; }
    kvm_run& run_;
  } const immediate_exit{shared()};
  return run();
}

kvm_run& Vcpu::shared() const { return *std::bit_cast<kvm_run*>(run_.data()); }

}  // namespace hltest::internal::kvm
