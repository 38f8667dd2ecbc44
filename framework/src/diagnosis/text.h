#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <hltest/diagnosis.h>

/// What a diagnosis is rendered with: lines of text, each with its meaning.
namespace hltest::internal {

enum class Style : std::uint8_t { kPlain, kHeadline, kFailure, kCause, kInstruction };

struct Line {
  Style style = Style::kPlain;
  std::string text{};
};
using Lines = std::vector<Line>;

/// True for the second and further bytes of a character in UTF-8.
constexpr bool is_inside_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Text from outside, a source line or a file's name, in printable UTF-8: control characters and
/// bytes that are none become `?`.
std::string printable(const std::string& text);

/// A line, cut to 80 columns.
Line cut(std::string line, Style style = Style::kPlain);
/// The same, but with the rest in further lines: broken between columns, otherwise between words.
void add_wrapped(Lines& lines, const std::string& text, Style style = Style::kPlain);

/// Where a guest that would not end goes round, with the source lines.
void add_loop(Lines& lines, const Diagnosis& diagnosis);
/// What a replay found besides the fault, a sentence a line; why there is none, where it failed.
void add_findings(Lines& lines, const Diagnosis& diagnosis);
/// The instructions before the end, in at most so many lines with the one before them.
void add_history(Lines& lines, const Diagnosis& diagnosis, std::size_t most_lines);
/// The registers.
void add_registers(Lines& lines, const Registers& registers);
/// What the screen shows.
void add_screen(Lines& lines, const Diagnosis& diagnosis);
/// What the guest wrote to and read from ports, MMIO and MSRs, and its calls of services.
void add_accesses(Lines& lines, const AccessLog& log);

/// All of it.
Lines render(const Diagnosis& diagnosis);

}  // namespace hltest::internal
