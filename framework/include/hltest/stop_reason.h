#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/vector.h>

/// What can end a run.
namespace hltest {

/// HLT, at any privilege level. RIP is after the HLT.
struct Halt {};

/// An exception or interrupt that arrived at the framework's own handlers. The outcome's registers
/// are those that the guest had when it was raised.
struct Exception {
  Vector vector{};
  /// True when an INT n asked for it: `CalledInterrupt`.
  bool software = false;
  /// Bytes of the INT n, INT3, INTO or INT1 that asked for it, which RIP is after; 0 for a fault.
  unsigned instruction_length = 0;
  /// Where the processor pushed one.
  std::optional<std::uint32_t> error_code = std::nullopt;
  /// For #PF: the linear address that was accessed (CR2).
  std::optional<Gva> address = std::nullopt;
  /// CS:RIP as the processor pushed them: for a fault the instruction itself, for a trap or
  /// software interrupt the next one.
  std::uint16_t cs = 0;
  std::uint64_t rip = 0;
};

/// SYSCALL or SYSENTER of a guest that started at CPL 3 (`Machine::set_cpl`). After a SYSCALL the
/// outcome's registers are the guest's, with RIP after it, and RCX and R11 as it leaves them;
/// after a SYSENTER, which saves neither RIP nor RSP, RIP, RSP, CS and SS are those of the handler.
struct SystemCall {
  enum class Instruction : std::uint8_t { kSyscall, kSysenter } instruction;
};

/// A fault while a double fault was being delivered: the processor shut down.
struct TripleFault {
  /// True when this host's KVM has reset the vCPU before it told (AMD's does): then the outcome's
  /// registers are those of a processor after RESET, and only `diagnose` finds what the guest had.
  bool registers_were_reset = false;
};

/// The deadline came. RIP is where the guest was.
struct Timeout {
  std::chrono::milliseconds limit{};
};

/// A condition of the test's (`stop_after_writes`, `stop_on_write`, `GuestView::stop`) was met.
struct ConditionMet {
  std::string condition{};
  /// Of the INT n whose service ended the run, which RIP has passed; otherwise 0.
  unsigned instruction_length = 0;
};

/// The guest went to execute where there is no memory.
struct UnbackedFetch {
  Gpa gpa{};
};

/// This host's KVM can't execute an instruction, though the guest may be right to use it
/// (KVM_EXIT_INTERNAL_ERROR, suberror KVM_INTERNAL_ERROR_EMULATION).
struct HostLimit {
  /// The instruction, disassembled; empty where it could not be read.
  std::string instruction;
  std::vector<std::uint8_t> bytes;
};

/// KVM_EXIT_INTERNAL_ERROR with any other suberror.
struct InternalError {
  std::uint32_t suberror = 0;
  std::vector<std::uint64_t> data;
};

/// KVM_EXIT_FAIL_ENTRY: the hardware refused the vCPU's state.
struct EntryFailure {
  std::uint64_t hardware_reason = 0;
};

/// An exit that hltest has no use for.
struct UnknownExit {
  std::uint32_t reason = 0;
};

using StopReason = std::variant<Halt, Exception, SystemCall, TripleFault, Timeout, ConditionMet,
                                UnbackedFetch, HostLimit, InternalError, EntryFailure, UnknownExit>;

/// One line without the place: `#DE (divide error, vector 0)`, `timed out after 5000 ms`.
std::string describe(const StopReason& reason);

/// One word for programs: `halted`, `exception`, `system_call`, `triple_fault`, `timed_out`,
/// `condition_met`, `unbacked_fetch`, `host_limit`, `internal_error`, `entry_failure`,
/// `unknown_exit`.
std::string name(const StopReason& reason);

}  // namespace hltest
