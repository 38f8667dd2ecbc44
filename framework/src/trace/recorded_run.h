#pragma once

#include <memory>

#include "machine/outcome.h"
#include "machine/recording.h"

namespace hltest {

/// What a replay goes by: what the run began with, and what its logs say it was given. The outcome
/// has to outlive it.
struct RecordedRun {
  const Outcome& outcome;
  std::shared_ptr<const Recording> recording;
};

}  // namespace hltest
