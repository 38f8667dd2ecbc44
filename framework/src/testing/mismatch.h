#pragma once

#include <optional>

#include <hltest/outcome.h>

namespace hltest::internal {

/// The first outcome since the last run that a matcher has explained not to match: what the failed
/// expectation was about. The fixture takes it. One for each thread.
std::optional<Outcome>& mismatch();

}  // namespace hltest::internal
