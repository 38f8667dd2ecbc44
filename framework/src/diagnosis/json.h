#pragma once

#include <string>

#include <hltest/diagnosis.h>

namespace hltest::internal {

/// The diagnosis as one JSON object, on one line, with what only the outcome has: the registers,
/// where the diagnosis has none, and the screen.
std::string to_json(const Diagnosis& diagnosis, const Outcome& outcome);

}  // namespace hltest::internal
