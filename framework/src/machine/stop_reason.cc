#include <hltest/stop_reason.h>

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "kvm/exit.h"
#include "x86/registers/error_code.h"

namespace hltest {
namespace {

using namespace internal;

std::string describe_reason(const Halt&) { return "halted"; }

std::string describe_reason(const Exception& exception) {
  const auto number = static_cast<unsigned>(exception.vector);
  if (exception.software) return fmt::format("software interrupt (INT {:#04x})", number);
  std::string text = fmt::format("{} ({}, vector {}", mnemonic(exception.vector),
                                 description(exception.vector), number);
  if (exception.error_code.has_value()) {
    fmt::format_to(std::back_inserter(text), ", error code {:#x}", *exception.error_code);
    const std::string fields = describe_error_code(exception.vector, *exception.error_code);
    if (!fields.empty()) text += ": " + fields;
  }
  text += ')';
  if (exception.address.has_value()) text += " on address " + to_string(*exception.address);
  return text;
}

std::string describe_reason(const SystemCall& call) {
  return call.instruction == SystemCall::Instruction::kSyscall
             ? "system call (SYSCALL)"
             : "system call (SYSENTER, which saves no return address)";
}

std::string describe_reason(const TripleFault& fault) {
  return fault.registers_were_reset
             ? "triple fault (this host's KVM has reset the vCPU: its registers are gone)"
             : "triple fault";
}

std::string describe_reason(const Timeout& timeout) {
  return fmt::format("timed out: still running after {} ms", timeout.limit.count());
}

std::string describe_reason(const ConditionMet& met) { return "stopped: " + met.condition; }

std::string describe_reason(const UnbackedFetch& fetch) {
  return fmt::format("executed where there is no memory: fetch from physical address {}",
                     to_string(fetch.gpa));
}

std::string describe_reason(const HostLimit& limit) {
  return limit.bytes.empty() ? "this host's KVM can't execute an instruction that could not be read"
                             : fmt::format("this host's KVM can't execute `{}` ({:02x})",
                                           limit.instruction, fmt::join(limit.bytes, " "));
}

std::string describe_reason(const InternalError& error) {
  static constexpr std::array kSuberrors = {"", "emulation", "simultaneous exceptions",
                                            "delivery of an event", "unexpected exit reason"};
  const char* const suberror =
      error.suberror < kSuberrors.size() ? kSuberrors.at(error.suberror) : "unknown";
  return fmt::format("KVM internal error, suberror {} ({}), data {:#x}", error.suberror, suberror,
                     fmt::join(error.data, " "));
}

std::string describe_reason(const EntryFailure& failure) {
  return fmt::format(
      "the hardware refused to enter the guest (KVM_EXIT_FAIL_ENTRY, hardware reason {:#x}): check "
      "the segments and control registers that the test set",
      failure.hardware_reason);
}

std::string describe_reason(const UnknownExit& exit) {
  return "unexpected exit: " + kvm::exit_reason_name(exit.reason);
}

}  // namespace

std::string describe(const StopReason& reason) {
  return std::visit([](const auto& alternative) { return describe_reason(alternative); }, reason);
}

std::string name(const StopReason& reason) {
  static constexpr std::array<const char*, std::variant_size_v<StopReason>> kNames = {
      "halted",         "exception",     "system_call",    "triple_fault",
      "timed_out",      "condition_met", "unbacked_fetch", "host_limit",
      "internal_error", "entry_failure", "unknown_exit"};
  return kNames.at(reason.index());
}

}  // namespace hltest
