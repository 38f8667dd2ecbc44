#include "machine/outcome.h"

#include <fmt/format.h>

#include <ostream>

namespace hltest {

bool Outcome::registers_are_lost() const {
  const auto* const fault = std::get_if<TripleFault>(&stop);
  return fault != nullptr && fault->registers_were_reset && !fault->first_fault;
}

const Exception* Outcome::fault() const {
  if (const auto* const triple = std::get_if<TripleFault>(&stop)) {
    return triple->first_fault ? &*triple->first_fault : nullptr;
  }
  return std::get_if<Exception>(&stop);
}

Gva Outcome::stop_address() const {
  const Gva next = registers.code_address();
  constexpr std::uint64_t kSyscallLength = 2;
  // KVM reports a HLT with RIP behind it, and a software interrupt's instruction came before.
  if (halted()) return next - 1;
  const Exception* const exception = fault();
  if (exception != nullptr && exception->software) return next - exception->software_length;
  const auto* const call = std::get_if<SystemCall>(&stop);
  const bool is_syscall = call != nullptr && call->instruction == SystemCall::Instruction::kSyscall;
  return is_syscall ? next - kSyscallLength : next;
}

std::optional<SourcePlace> Outcome::source() const {
  return stop_offset.has_value() ? source_at(image_start + *stop_offset) : std::nullopt;
}

std::optional<std::uint64_t> Outcome::image_offset(Gpa gpa) const {
  if (gpa < image_start || gpa - image_start >= image_size) return std::nullopt;
  return gpa - image_start;
}

std::optional<SourcePlace> Outcome::source_at(Gpa gpa) const {
  const std::optional<std::uint64_t> offset = image_offset(gpa);
  if (!image.has_value() || !offset.has_value()) return std::nullopt;
  const SourceMap map = image->source_map();
  std::optional<SourceLine> line = map.line_at(*offset);
  if (!line.has_value()) return std::nullopt;
  return SourcePlace{*std::move(line), map.label_at(*offset)};
}

std::string to_string(const SourcePlace& place) {
  std::string text = fmt::format("{}:{}", place.line.file, place.line.line);
  if (!place.label.empty()) text += fmt::format(" ({})", place.label);
  return text;
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
