#pragma once

#include <cstddef>
#include <string>

#include "machine/outcome.h"

/// What a report's lines are made with.
namespace hltest {

/// True for the second and further bytes of a character in UTF-8, as in the names of files.
constexpr bool is_inside_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Cut to 80 columns, counted in bytes.
std::string cut(const std::string& line);

/// The same, but with the rest in further lines: broken between columns, else between words.
std::string wrap(std::string text);

/// Where a guest that would not end goes round, with the source lines; empty for any other.
std::string loop_text(const Outcome& outcome);

/// What a replay found besides the fault, a sentence a line; why there is none, where it failed.
std::string findings_text(const Outcome& outcome);

/// The instructions before the fault in at most so many lines, with an empty one before them.
std::string history_text(const Outcome& outcome, std::size_t most_lines);

/// What the guest wrote to and read from ports, MMIO and MSRs, with an empty line before it.
std::string accesses_text(const Outcome& outcome);

}  // namespace hltest
