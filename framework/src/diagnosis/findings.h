#pragma once

#include <string>
#include <vector>

#include "diagnosis/replayed_end.h"

namespace hltest::internal {

/// What is wrong with the code and the stack where a run ended, a sentence each: code that was
/// overwritten, and by what; a stack that ran into the image, or to where there is no memory.
/// `guest` is the one before its last step.
std::vector<std::string> findings(const Outcome& outcome, const ReplayedEnd& end,
                                  const Guest& guest);

/// The same for what a run's memory and start tell without a replay.
std::vector<std::string> findings(const Outcome& outcome);

}  // namespace hltest::internal
