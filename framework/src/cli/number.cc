#include "cli/number.h"
#include <hltest/x86/address.h>
#include "cli/usage_error.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace hltest::cli {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> from_digits(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed_to, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || error != std::errc{} || parsed_to != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> from_text(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  return hexadecimal ? from_digits(text.substr(2), 16) : from_digits(text, 10);
}

}  // namespace

std::uint64_t parse_number(std::string_view what, std::string_view text, std::uint64_t most) {
  const std::optional<std::uint64_t> value = from_text(text);
  if (!value.has_value()) {
    throw UsageError(fmt::format(
        "{}: '{}' is not a number of at most 64 bits: write it like 4096 or 0x1000", what, text));
  }
  if (*value > most) {
    throw UsageError(fmt::format("{}: {} is too large: it can be {:#x} at most", what, text, most));
  }
  return *value;
}

std::uint64_t parse_size(std::string_view what, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 6> kUnits = {
      {{"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}, {"K", kKiB}, {"M", kMiB}, {"G", kGiB}}};
  std::string_view digits = text;
  std::uint64_t unit = 1;
  for (const auto& [suffix, size] : kUnits) {
    if (unit != 1 || !text.ends_with(suffix)) continue;
    digits.remove_suffix(suffix.size());
    unit = size;
  }
  const std::optional<std::uint64_t> value = from_text(digits);
  if (!value.has_value() || *value > kMost / unit) {
    throw UsageError(fmt::format(
        "{}: '{}' is not a size of at most 64 bits: write it like 4096, 0x1000, 64K, 16M or 2G",
        what, text));
  }
  return *value * unit;
}

std::vector<std::uint8_t> parse_hex_bytes(std::string_view what, std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::string_view pair = text.substr(i, 2);
    const std::optional<std::uint64_t> byte = from_digits(pair, 16);
    if (pair.size() != 2 || !byte.has_value()) {
      throw UsageError(fmt::format(
          "{}: '{}' are not bytes: write two hexadecimal digits for each, like 1c9c", what, text));
    }
    bytes.push_back(static_cast<std::uint8_t>(*byte));
  }
  if (bytes.empty()) {
    throw UsageError(
        fmt::format("{}: there are no bytes: write two hexadecimal digits for each", what));
  }
  return bytes;
}

}  // namespace hltest::cli
