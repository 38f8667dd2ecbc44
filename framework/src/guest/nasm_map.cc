#include "guest/nasm_map.h"

#include <optional>
#include <utility>

#include "guest/text.h"

namespace hltest::internal {
namespace {

std::optional<std::uint64_t> hexadecimal(std::string_view word) {
  return number<std::uint64_t>(word, 16);
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
std::optional<Symbol> symbol_in(std::string_view line, std::uint64_t origin) {
  const auto first = hexadecimal(next_word(line));
  if (!first) return std::nullopt;
  const std::string_view second = next_word(line);
  const std::string_view third = next_word(line);
  if (third.empty()) {
    if (second.empty()) return std::nullopt;
    return Symbol{.name = std::string{second}, .value = *first};
  }
  const auto value = hexadecimal(second);
  if (!value || *first < origin) return std::nullopt;
  return Symbol{.name = std::string{third}, .value = *value, .offset = *first - origin};
}

}  // namespace

NasmMap read_nasm_map(std::string_view text) {
  NasmMap map;
  Part part = Part::kNone;
  std::size_t group = 0;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    part = part_of(line, part);
    if (part == Part::kOrigin) {
      std::string_view rest = line;
      if (const auto origin = hexadecimal(next_word(rest))) map.origin = *origin;
    } else if (part == Part::kSections) {
      add_section(line, map);
    } else if (part == Part::kSymbols) {
      if (line.starts_with("---- ")) ++group;  // `---- Section .text ---`, `---- No Section ---`
      if (auto symbol = symbol_in(line, map.origin)) {
        map.symbols.push_back({*std::move(symbol), group});
      }
    }
  }
  return map;
}

}  // namespace hltest::internal
