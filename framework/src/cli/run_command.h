#pragma once

#include <string>

#include <hltest/machine.h>

#include "cli/options.h"

namespace hltest::cli {

/// What the command is to print on stdout, and its exit status: 0 when the guest halted, 1 when it
/// ended any other way.
struct RunResult {
  std::string output;
  int status;
};

/// A machine with the memory, registers, ports and timeout that the options give. Throws what they
/// make no sense for.
Machine machine_of(const RunOptions& options);

/// `hltest run`: runs the file, and makes the report or the JSON of it. Throws `UsageError`,
/// `AssemblerFailed`, and what `Machine::run` throws.
RunResult run_command(const RunOptions& options);

}  // namespace hltest::cli
