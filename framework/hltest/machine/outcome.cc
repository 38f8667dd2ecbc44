#include <hltest/machine/outcome.h>

#include <fmt/format.h>

#include <ostream>

namespace hltest {

bool Outcome::registers_are_lost() const {
  const auto* const fault = std::get_if<TripleFault>(&stop);
  return fault != nullptr && fault->registers_were_reset;
}

Gva Outcome::stop_address() const {
  const Gva next = registers.code_address();
  constexpr std::uint64_t kSyscallLength = 2;
  // KVM reports a HLT with RIP behind it, and a trap or software interrupt is what came before.
  if (halted()) return next - 1;
  const auto* const call = std::get_if<SystemCall>(&stop);
  const bool is_syscall = call != nullptr && call->instruction == SystemCall::Instruction::kSyscall;
  return is_syscall ? next - kSyscallLength : next;
}

std::string summary(const Outcome& outcome) {
  std::string text = fmt::format("{} {}{}", outcome.guest,
                                 outcome.halted() ? "" : "ended: ", describe(outcome.stop));
  if (outcome.registers_are_lost()) return text;
  return fmt::format("{} at {} ({})", text, to_string(outcome.stop_address()), outcome.end_mode);
}

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << summary(outcome);
}

}  // namespace hltest
