#pragma once

#include <string>

#include "machine/outcome.h"

namespace hltest {

/// One screen (80 columns, at most 50 lines) that tells what became of a guest: why and where it
/// stopped, the instructions there, its registers, and what it exchanged with ports and MMIO.
std::string report(const Outcome& outcome);

/// A byte string as a C literal without quotes: `4\\`, `\n`, `\x1b`.
std::string escape(const std::string& text);

}  // namespace hltest
