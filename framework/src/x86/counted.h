#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hltest::internal {

/// `1 byte`, `2 bytes`: a number and what it counts, whose plural ends in "s".
inline std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

}  // namespace hltest::internal
