#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <hltest/x86/address.h>

struct kvm_run;

/// Why KVM_RUN came back (Documentation/virt/kvm/api.rst, "5. The kvm_run structure").
namespace hltest::internal::kvm {

/// KVM_EXIT_HLT: the guest executed HLT.
struct HltExit {};

/// KVM_EXIT_IO: `count` elements of `size` bytes each, in `data`. For an IN the caller fills `data`
/// before the next run.
struct IoExit {
  bool is_out;
  std::uint16_t port;
  std::uint8_t size;    ///< 1, 2 or 4
  std::uint32_t count;  ///< over 1 for string instructions, on some hosts
  std::span<std::uint8_t> data;
};

/// KVM_EXIT_MMIO: an access to an address that no slot backs. For a read the caller fills `data`.
struct MmioExit {
  bool is_write;
  Gpa gpa;
  std::span<std::uint8_t> data;  ///< 1 to 8 bytes
};

/// KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR: an MSR that the VM's user serves. To be answered with
/// `Vcpu::answer_msr` or `refuse_msr` before the next run.
struct MsrExit {
  bool is_write;
  std::uint32_t index;
  std::uint64_t data;  ///< what WRMSR wrote
};

/// KVM_EXIT_DEBUG: with `Vcpu::set_single_step`, an instruction is done.
struct DebugExit {};

/// KVM_EXIT_SHUTDOWN: on x86 a triple fault.
struct ShutdownExit {};

/// KVM_EXIT_INTERNAL_ERROR.
struct InternalErrorExit {
  /// The suberror for an instruction that KVM can't emulate (KVM_INTERNAL_ERROR_EMULATION).
  static constexpr std::uint32_t kEmulation = 1;

  std::uint32_t suberror;  ///< KVM_INTERNAL_ERROR_…
  std::vector<std::uint64_t> data;
};

/// KVM_EXIT_FAIL_ENTRY: the hardware refused the vCPU's state.
struct FailEntryExit {
  std::uint64_t hardware_entry_failure_reason;
};

/// KVM_EXIT_INTR, or KVM_RUN said EINTR: a signal came, or immediate_exit was set.
struct InterruptedExit {};

/// KVM_EXIT_IRQ_WINDOW_OPEN: the guest can take an interrupt (`Vcpu::request_interrupt_window`).
struct InterruptWindowExit {};

/// Any other reason, by its number in <linux/kvm.h>.
struct UnknownExit {
  std::uint32_t reason;
};

using Exit =
    std::variant<HltExit, IoExit, MmioExit, MsrExit, DebugExit, ShutdownExit, InternalErrorExit,
                 FailEntryExit, InterruptedExit, InterruptWindowExit, UnknownExit>;

/// Reads the exit that `run` describes. `run_area` is the whole mapping `run` is the head of, which
/// the port data lies in.
Exit decode_exit(kvm_run& run, std::span<std::uint8_t> run_area);

/// `KVM_EXIT_HLT` and so on, by the number in <linux/kvm.h>; the number for one without a name
/// here.
std::string exit_reason_name(std::uint32_t reason);

}  // namespace hltest::internal::kvm
