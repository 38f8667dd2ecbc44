#pragma once

#include <cstdint>

namespace hltest {

/// What a read of `size` bytes (1 to 8) finds where nobody answers: all ones.
constexpr std::uint64_t floating_bus(std::uint8_t size) {
  return size < 8 ? (1ULL << (8U * size)) - 1 : ~0ULL;
}

}  // namespace hltest
