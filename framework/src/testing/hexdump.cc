#include "testing/hexdump.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace hltest::internal {
namespace {

constexpr std::size_t kRow = 16;
constexpr std::size_t kHalfRow = 8;
constexpr std::size_t kMostRows = 32;

std::string cell(std::span<const std::uint8_t> side, std::span<const std::uint8_t> other,
                 std::size_t index) {
  if (index >= side.size()) return "    ";
  const bool differs = index >= other.size() || side[index] != other[index];
  return fmt::format("{}{:02x}{}", differs ? '[' : ' ', side[index], differs ? ']' : ' ');
}

}  // namespace

std::string hexdump(Gpa address, std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::size_t row = 0; row < bytes.size(); row += kRow) {
    const auto part = bytes.subspan(row, std::min(kRow, bytes.size() - row));
    fmt::format_to(std::back_inserter(text), "{:#010x}  ", (address + row).value());
    std::string characters;
    for (std::size_t i = 0; i < kRow; ++i) {
      if (i >= part.size()) {
        text += "   ";
        continue;
      }
      fmt::format_to(std::back_inserter(text), "{:02x} ", part[i]);
      characters += part[i] >= 0x20 && part[i] < 0x7F ? static_cast<char>(part[i]) : '.';
    }
    fmt::format_to(std::back_inserter(text), " {}\n", characters);
  }
  return text;
}

std::string hexdump_comparison(Gpa address, std::span<const std::uint8_t> expected,
                               std::span<const std::uint8_t> actual) {
  const std::size_t size = std::max(expected.size(), actual.size());
  std::string text = fmt::format("{:<12}{:<33}{}\n", "address", " expected", "  actual");
  std::size_t shown = 0;
  std::size_t last_alike = size;
  for (std::size_t row = 0; row < size; row += kHalfRow) {
    const auto row_of = [row](std::span<const std::uint8_t> side) {
      const std::size_t from = std::min(row, side.size());
      return side.subspan(from, std::min(kHalfRow, side.size() - from));
    };
    if (std::ranges::equal(row_of(expected), row_of(actual))) {
      last_alike = row;
      continue;
    }
    if (++shown > kMostRows) {
      text += "… further rows differ\n";
      break;
    }
    const auto append = [&](std::size_t at) {
      std::string left;
      std::string right;
      for (std::size_t i = at; i < at + kHalfRow; ++i) {
        left += cell(expected, actual, i);
        right += cell(actual, expected, i);
      }
      fmt::format_to(std::back_inserter(text), "{:#010x}  {}|{}\n", (address + at).value(), left,
                     right);
    };
    if (last_alike + kHalfRow == row) append(last_alike);
    append(row);
  }
  return text;
}

}  // namespace hltest::internal
