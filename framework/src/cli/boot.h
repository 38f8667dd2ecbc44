#pragma once

#include <hltest/machine.h>

#include "cli/options.h"
#include "cli/run_command.h"

namespace hltest::cli {

/// Boots what the options say, in a machine that they have set up.
Outcome boot(const RunOptions& options, Machine& machine);

/// Boots once in each state that BIOSes leave, and tells in a table how each ended, and what is
/// not as in the usual state. The status is 0 if nothing is, and the guest halted.
RunResult boot_hostile(const RunOptions& options);

}  // namespace hltest::cli
