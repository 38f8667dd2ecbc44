#pragma once

#include <string>
#include <vector>

#include "machine/outcome.h"

namespace hltest::cli {

/// The outcome as one JSON object, on one line. `screen` are the rows of text mode.
std::string to_json(const Outcome& outcome, const std::vector<std::string>& screen);

}  // namespace hltest::cli
