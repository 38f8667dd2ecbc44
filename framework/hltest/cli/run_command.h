#pragma once

#include <hltest/cli/options.h>

namespace hltest::cli {

/// `hltest run`: runs the file and prints the report or the JSON on stdout. Returns the exit
/// status: 0 when the guest halted, 1 when it ended any other way. Throws `UsageError`,
/// `AssemblerFailed`, and what `Machine::run` throws.
int run_command(const RunOptions& options);

}  // namespace hltest::cli
