#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hltest::cli {

/// Throws `UsageError` where `path` is not a file that can be read, holds nothing, or more than
/// `memory_size` bytes.
void check_file(const std::string& path, std::uint64_t memory_size);

/// All of it. Throws `UsageError`.
std::vector<std::uint8_t> read_file(const std::string& path);

}  // namespace hltest::cli
