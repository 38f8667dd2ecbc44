#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <hltest/x86/address.h>

namespace hltest::internal {

/// Rows of 16 bytes with their address and as text.
std::string hexdump(Gpa address, std::span<const std::uint8_t> bytes);

/// Rows of 8 expected and 8 actual bytes side by side, under 80 columns; a byte that differs stands
/// in brackets on both sides. Rows that are alike are left out, but for one before a difference.
std::string hexdump_comparison(Gpa address, std::span<const std::uint8_t> expected,
                               std::span<const std::uint8_t> actual);

}  // namespace hltest::internal
