#pragma once

#include <string>
#include <vector>

#include "trace/stepped_end.h"

namespace hltest {

/// What is wrong with the code and the stack where a run ended, a sentence each: code that was
/// overwritten, and by what; a stack that ran into the image, or to where there is no memory.
/// `guest` is the one before its last step.
std::vector<std::string> findings(const RecordedRun& run, const SteppedEnd& stepped,
                                  const ReplayedGuest& guest);

}  // namespace hltest
