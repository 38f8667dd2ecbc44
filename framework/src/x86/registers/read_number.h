#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <hltest/x86/linear_reader.h>

namespace hltest::internal {

/// The little-endian number that these bytes are: 8 at most, and bytes that are missing are 0.
constexpr std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 8; ++i) {
    value |= std::uint64_t{bytes[i]} << (8 * i);
  }
  return value;
}

/// The little-endian number of `size` bytes (1 to 8) at `gva`; nothing unless all can be read.
inline std::optional<std::uint64_t> read_number(const LinearReader& read, Gva gva, unsigned size) {
  const std::vector<std::uint8_t> bytes = read(gva, size);
  if (bytes.size() != size) return std::nullopt;
  return little_endian(bytes);
}

}  // namespace hltest::internal
