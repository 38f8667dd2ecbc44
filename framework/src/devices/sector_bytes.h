#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hltest::internal {

/// Writes an integer at an offset of a structure on a disk, the lowest byte first.
template <std::unsigned_integral Integer>
void put(std::span<std::uint8_t> bytes, std::size_t offset, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i));
  }
}

}  // namespace hltest::internal
