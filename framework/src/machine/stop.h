#pragma once

#include <chrono>

#include <hltest/outcome.h>

#include "vm/guest.h"
#include "vm/run.h"

namespace hltest::internal {

/// Fills in the outcome's `stop`, `registers` and `mode`, from how the run of a guest ended.
void take_end(const Ending& ending, std::chrono::milliseconds timeout, const Guest& guest,
              Outcome& outcome);

}  // namespace hltest::internal
