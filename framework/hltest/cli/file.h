#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hltest::cli {

/// Throws `UsageError` where `path` is not a file that can be read, or holds nothing.
void check_file(const std::string& path);

/// All of it. Throws `UsageError`.
std::vector<std::uint8_t> read_file(const std::string& path);

}  // namespace hltest::cli
