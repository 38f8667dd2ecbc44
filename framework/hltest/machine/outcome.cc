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
  // KVM reports a HLT with RIP behind it, and a trap or software interrupt is what came before.
  return halted() ? next - 1 : next;
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
