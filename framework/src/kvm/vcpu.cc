#include "kvm/vcpu.h"
#include "kvm/error.h"
#include "kvm/ioctl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace hltest::kvm {

Vcpu::Vcpu(UniqueFd fd, std::size_t mmap_size)
    : fd_(std::move(fd)), run_(Mapping::shared(fd_, mmap_size)) {}

kvm_regs Vcpu::regs() const {
  kvm_regs regs{};
  call(fd_, kGetRegs, regs);
  return regs;
}

void Vcpu::set_regs(kvm_regs regs) { call(fd_, kSetRegs, regs); }

kvm_sregs Vcpu::sregs() const {
  kvm_sregs sregs{};
  call(fd_, kGetSregs, sregs);
  return sregs;
}

void Vcpu::set_sregs(kvm_sregs sregs) {
  call(fd_, kSetSregs, sregs);
  // Without an interrupt controller in the kernel, KVM_RUN takes CR8 from here.
  shared().cr8 = sregs.cr8;
}

void Vcpu::set_cpuid(std::span<const kvm_cpuid_entry2> entries) {
  const CpuidHeader header{.nent = static_cast<std::uint32_t>(entries.size()), .padding = 0};
  std::vector<std::uint8_t> buffer(sizeof header + entries.size_bytes());
  std::memcpy(buffer.data(), &header, sizeof header);
  std::memcpy(buffer.data() + sizeof header, entries.data(), entries.size_bytes());
  call_raw(fd_, kSetCpuid2.name, kSetCpuid2.number, buffer.data(),
           fmt::format("{} entries", entries.size()));
}

std::vector<kvm_cpuid_entry2> Vcpu::cpuid(std::size_t count) const {
  CpuidHeader header{.nent = static_cast<std::uint32_t>(count), .padding = 0};
  std::vector<std::uint8_t> buffer(sizeof header + count * sizeof(kvm_cpuid_entry2));
  std::memcpy(buffer.data(), &header, sizeof header);
  call_raw(fd_, kGetCpuid2.name, kGetCpuid2.number, buffer.data(),
           fmt::format("room for {} entries", count));
  std::memcpy(&header, buffer.data(), sizeof header);
  std::vector<kvm_cpuid_entry2> entries(std::min<std::size_t>(header.nent, count));
  std::memcpy(entries.data(), buffer.data() + sizeof header,
              entries.size() * sizeof(kvm_cpuid_entry2));
  return entries;
}

void Vcpu::set_single_step(bool single_step) {
  kvm_guest_debug debug{};
  debug.control = single_step ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0;
  call(fd_, kSetGuestDebug, debug);
}

XsaveArea Vcpu::xsave() const {
  XsaveArea area{};
  call(fd_, kGetXsave, area);
  return area;
}

kvm_xcrs Vcpu::xcrs() const {
  kvm_xcrs xcrs{};
  call(fd_, kGetXcrs, xcrs);
  return xcrs;
}

void Vcpu::set_xcrs(kvm_xcrs xcrs) { call(fd_, kSetXcrs, xcrs); }

kvm_debugregs Vcpu::debugregs() const {
  kvm_debugregs debugregs{};
  call(fd_, kGetDebugregs, debugregs);
  return debugregs;
}

void Vcpu::set_debugregs(kvm_debugregs debugregs) { call(fd_, kSetDebugregs, debugregs); }

void Vcpu::set_xsave(const XsaveArea& area) {
  XsaveArea copy = area;
  call(fd_, kSetXsave, copy);
}

namespace {

// One entry behind the header, as the kernel lays struct kvm_msrs out.
struct OneMsr {
  MsrsHeader header{.nmsrs = 1, .padding = 0};
  kvm_msr_entry entry{};
};
static_assert(offsetof(OneMsr, entry) == sizeof(MsrsHeader));

}  // namespace

std::optional<std::uint64_t> Vcpu::msr(std::uint32_t index) const {
  OneMsr msr{.entry = {.index = index, .reserved = 0, .data = 0}};
  const int done = call_raw(fd_, kGetMsrs.name, kGetMsrs.number, &msr, fmt::format("{:#x}", index));
  return done == 1 ? std::optional<std::uint64_t>{msr.entry.data} : std::nullopt;
}

bool Vcpu::set_msr(std::uint32_t index, std::uint64_t value) {
  OneMsr msr{.entry = {.index = index, .reserved = 0, .data = value}};
  return call_raw(fd_, kSetMsrs.name, kSetMsrs.number, &msr, fmt::format("{:#x}", index)) == 1;
}

void Vcpu::answer_msr(std::uint64_t value) {
  shared().msr.data = value;
  shared().msr.error = 0;
}

void Vcpu::refuse_msr() { shared().msr.error = 1; }

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
    throw Error(kRun.name, errno);
  }
  return decode_exit(shared(), run_.bytes());
}

Exit Vcpu::complete_instruction() {
  shared().immediate_exit = 1;
  Exit exit = run();
  shared().immediate_exit = 0;
  return exit;
}

kvm_run& Vcpu::shared() const { return *std::bit_cast<kvm_run*>(run_.data()); }

}  // namespace hltest::kvm
