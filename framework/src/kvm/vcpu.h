#pragma once

#include <linux/kvm.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <hltest/x86/address.h>
#include "kvm/exit.h"
#include "kvm/ioctl.h"
#include "kvm/mapping.h"
#include "kvm/unique_fd.h"

namespace hltest::kvm {

/// One virtual processor (KVM's "vCPU ioctls"). To be used from one thread.
class Vcpu {
 public:
  /// Maps the vCPU's kvm_run, which is `mmap_size` bytes long. Throws `Error`.
  Vcpu(UniqueFd fd, std::size_t mmap_size);

  [[nodiscard]] kvm_regs regs() const;
  void set_regs(kvm_regs regs);
  [[nodiscard]] kvm_sregs sregs() const;
  void set_sregs(kvm_sregs sregs);

  /// What CPUID shows the guest.
  void set_cpuid(std::span<const kvm_cpuid_entry2> entries);
  /// What KVM made of that: `count` entries at most.
  [[nodiscard]] std::vector<kvm_cpuid_entry2> cpuid(std::size_t count) const;

  /// From now on, or no more, `run` ends with a `DebugExit` after each instruction
  /// (KVM_SET_GUEST_DEBUG). To be called before each step: behind an instruction that it emulated,
  /// KVM steps on only from where RIP was at the last call.
  void set_single_step(bool single_step);

  /// The x87, SSE and AVX registers.
  [[nodiscard]] XsaveArea xsave() const;
  void set_xsave(const XsaveArea& area);
  /// XCR0, by which parts of those are in use.
  [[nodiscard]] kvm_xcrs xcrs() const;
  void set_xcrs(kvm_xcrs xcrs);
  /// DR0 to DR3, DR6 and DR7.
  [[nodiscard]] kvm_debugregs debugregs() const;
  void set_debugregs(kvm_debugregs debugregs);

  /// The value of an MSR; nothing where this KVM has no such MSR.
  [[nodiscard]] std::optional<std::uint64_t> msr(std::uint32_t index) const;
  /// Sets an MSR as a privileged host may, and returns whether this KVM has it and takes the value.
  [[nodiscard]] bool set_msr(std::uint32_t index, std::uint64_t value);
  /// Answers an `MsrExit`: a RDMSR reads `value`, a WRMSR is done.
  void answer_msr(std::uint64_t value);
  /// Answers an `MsrExit` with #GP.
  void refuse_msr();

  /// The signals that are blocked while the guest runs, in place of the thread's own. One that is
  /// let in ends the run, and is delivered only if the thread lets it in too.
  void set_signal_mask(const sigset_t& mask);

  /// Runs the guest until something stops it. Throws `Error`.
  Exit run();

  /// Ends the instruction that the last exit interrupted (a port or MMIO access), and runs no
  /// other: only then do the registers show it done. A string instruction may have more elements to
  /// go. An `InterruptedExit`, a `DebugExit` when it is single-stepped, or a further access of the
  /// instruction's.
  Exit complete_instruction();

 private:
  [[nodiscard]] kvm_run& shared() const;

  UniqueFd fd_;
  Mapping run_;
};

}  // namespace hltest::kvm
