#pragma once

#include <string>

#include <hltest/machine/outcome.h>

/// What a report's lines are made with.
namespace hltest {

/// Cut to 80 columns, in bytes: what guests write is escaped to ASCII before.
std::string cut(const std::string& line);

/// The same, but with the rest in further lines: broken between columns, else between words.
std::string wrap(std::string text);

/// What the guest wrote to and read from ports, MMIO and MSRs, with an empty line before it.
std::string accesses_text(const Outcome& outcome);

}  // namespace hltest
