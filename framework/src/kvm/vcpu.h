#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <hltest/x86/registers.h>
#include <hltest/x86/xstate.h>

#include "kvm/cpuid.h"
#include "kvm/exit.h"
#include "kvm/mapping.h"
#include "kvm/unique_fd.h"
#include "x86/registers/processor_state.h"

struct kvm_run;

namespace hltest::internal::kvm {

/// One virtual processor (KVM's "vCPU ioctls"), in the SDM's values. To be used from one thread.
/// Each function throws `HostError`.
class Vcpu {
 public:
  /// Maps the vCPU's kvm_run, which is `mmap_size` bytes long.
  Vcpu(UniqueFd fd, std::size_t mmap_size);

  [[nodiscard]] Registers registers() const;
  /// KVM_SET_SREGS says EINVAL for segments and control registers that can't be.
  void set_registers(const Registers& registers);

  /// What CPUID shows the guest.
  void set_cpuid(std::span<const CpuidEntry> entries);
  /// What KVM made of that: `count` entries at most.
  [[nodiscard]] std::vector<CpuidEntry> cpuid(std::size_t count) const;

  [[nodiscard]] XState xstate() const;
  void set_xstate(const XState& state);
  [[nodiscard]] DebugRegisters debug_registers() const;
  void set_debug_registers(const DebugRegisters& registers);
  [[nodiscard]] PendingEvents pending_events() const;
  void set_pending_events(const PendingEvents& events);

  /// The values of MSRs, without those that this KVM does not have.
  [[nodiscard]] std::vector<MsrValue> msrs(std::span<const Msr> msrs) const;
  [[nodiscard]] std::optional<std::uint64_t> msr(Msr msr) const;
  /// Sets MSRs as a privileged host may; returns the first that this KVM does not have, or whose
  /// value it refuses.
  [[nodiscard]] std::optional<MsrValue> set_msrs(std::span<const MsrValue> msrs);

  /// From now on, or no more, `run` ends with a `DebugExit` after each instruction
  /// (KVM_SET_GUEST_DEBUG). Call it before every step: after emulating an instruction, KVM
  /// continues stepping only from the RIP at the last call.
  void set_single_step(bool single_step);
  /// From now on, `run` ends with a `DebugExit` before an instruction at one of these linear
  /// addresses, four at most; with none, no more. In place of single-stepping.
  void set_breakpoints(std::span<const Gva> addresses);

  /// Answers an `MsrExit`: a RDMSR reads `value`, a WRMSR is done.
  void answer_msr(std::uint64_t value);
  /// Answers an `MsrExit` with #GP.
  void refuse_msr();

  /// Whether the guest can take an interrupt now: RFLAGS.IF is set, and nothing holds it off.
  [[nodiscard]] bool is_ready_for_interrupt() const;
  /// Delivers an interrupt when the guest is entered next (KVM_INTERRUPT).
  void inject_interrupt(Vector vector);
  /// Delivers an NMI when the guest is entered next, unless it is still handling one (KVM_NMI).
  void inject_nmi();
  /// From now on, or no more, `run` ends with an `InterruptWindowExit` as soon as the guest can
  /// take an interrupt.
  void request_interrupt_window(bool request);

  /// The signals that are blocked while the guest runs, in place of the thread's own. One that is
  /// let in ends the run, and is delivered only if the thread lets it in too.
  void set_signal_mask(const sigset_t& mask);

  /// Runs the guest until something stops it.
  Exit run();

  /// Completes the pending port or MMIO instruction without executing another; the registers are
  /// valid only afterwards. A string instruction may have more elements to go. Returns an
  /// `InterruptedExit`, a `DebugExit` when it is single-stepped, or a further access of the
  /// instruction.
  Exit complete_instruction();

 private:
  [[nodiscard]] kvm_run& shared() const;

  UniqueFd fd_;
  Mapping run_;
};

}  // namespace hltest::internal::kvm
