#pragma once

#include <string>

#include "cli/options.h"

namespace hltest::cli {

/// What the command is to print on stdout, and its exit status: 0 when the guest halted, 1 when it
/// ended any other way.
struct RunResult {
  std::string output;
  int status;
};

/// `hltest run`: runs the file, and makes the report or the JSON of it. Throws `UsageError`,
/// `AssemblerFailed`, and what `Machine::run` throws.
RunResult run_command(const RunOptions& options);

}  // namespace hltest::cli
