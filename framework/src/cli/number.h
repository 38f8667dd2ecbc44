#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

/// The numbers of the command line. Each throws `UsageError`, which names `what` and the text.
namespace hltest::cli {

/// Decimal, or hexadecimal after `0x`; at most `most`.
std::uint64_t parse_number(std::string_view what, std::string_view text, std::uint64_t most);

/// A number that may end in K, M or G (KiB, MiB, GiB, likewise written out).
std::uint64_t parse_size(std::string_view what, std::string_view text);

/// Pairs of hexadecimal digits.
std::vector<std::uint8_t> parse_hex_bytes(std::string_view what, std::string_view text);

}  // namespace hltest::cli
