#include "guest/nasm_map.h"

#include <charconv>
#include <optional>

namespace hltest {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::optional<std::uint64_t> hexadecimal(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  const bool whole = error == std::errc{} && end == word.data() + word.size() && !word.empty();
  return whole ? std::optional{value} : std::nullopt;
}

enum class Part { kNone, kOrigin, kSections, kSymbols };

Part part_of(std::string_view heading, Part now) {
  if (!heading.starts_with("-- ")) return now;
  if (heading.starts_with("-- Program origin")) return Part::kOrigin;
  if (heading.starts_with("-- Sections (summary)")) return Part::kSections;
  if (heading.starts_with("-- Symbols")) return Part::kSymbols;
  return Part::kNone;
}

// `Vstart Start Stop Length Class Name`
void add_section(std::string_view line, NasmMap& map) {
  next_word(line);
  const auto start = hexadecimal(next_word(line));
  next_word(line);
  next_word(line);
  const std::string_view kind = next_word(line);
  const std::string_view name = next_word(line);
  if (!start || kind != "progbits" || name.empty() || *start < map.origin) return;
  map.sections.push_back({std::string{name}, *start - map.origin});
}

// `Real Virtual Name`, or `Value Name` in no section.
void add_symbol(std::string_view line, NasmMap& map) {
  const auto first = hexadecimal(next_word(line));
  if (!first) return;
  const std::string_view second = next_word(line);
  const std::string_view third = next_word(line);
  if (third.empty()) {
    if (!second.empty()) map.symbols.push_back({.name = std::string{second}, .value = *first});
    return;
  }
  const auto value = hexadecimal(second);
  if (!value || *first < map.origin) return;
  map.symbols.push_back(
      {.name = std::string{third}, .value = *value, .offset = *first - map.origin});
}

}  // namespace

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) {
    text = {};
    return {};
  }
  text = text.substr(start);
  const std::size_t end = text.find_first_of(kBlanks);
  const std::string_view word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  return word;
}

NasmMap read_nasm_map(std::string_view text) {
  NasmMap map;
  Part part = Part::kNone;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    part = part_of(line, part);
    if (part == Part::kOrigin) {
      std::string_view rest = line;
      if (const auto origin = hexadecimal(next_word(rest))) map.origin = *origin;
    } else if (part == Part::kSections) {
      add_section(line, map);
    } else if (part == Part::kSymbols) {
      add_symbol(line, map);
    }
  }
  return map;
}

}  // namespace hltest
