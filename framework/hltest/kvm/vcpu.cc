#include <hltest/kvm/error.h>
#include <hltest/kvm/ioctl.h>
#include <hltest/kvm/vcpu.h>

#include <fmt/format.h>

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

void Vcpu::complete_instruction() {
  shared().immediate_exit = 1;
  run();
  shared().immediate_exit = 0;
}

kvm_run& Vcpu::shared() const { return *std::bit_cast<kvm_run*>(run_.data()); }

}  // namespace hltest::kvm
