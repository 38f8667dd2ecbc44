#pragma once

#include <string>
#include <vector>

#include <hltest/diagnosis.h>

namespace hltest::internal {

/// The diagnosis as one JSON object, on one line. `screen` are the rows of text mode; `registers`
/// stand in where the diagnosis has none.
std::string to_json(const Diagnosis& diagnosis, const Registers& registers,
                    const std::vector<std::string>& screen);

}  // namespace hltest::internal
