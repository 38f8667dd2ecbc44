#include <hltest/memory_layout.h>
#include <hltest/outcome.h>
#include <hltest/text_screen.h>

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "machine/run_record.h"

namespace hltest {
namespace {

constexpr std::uint64_t kRows = 25;
constexpr unsigned kColumns = 80;
constexpr std::uint64_t kCellSize = 2;  // character, attribute

// Code page 437: the characters below 0x20, 0x7F, and those from 0x80 on, in UTF-8.
constexpr std::string_view kControls = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
constexpr std::string_view kUpper =
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

// The `index`th character of UTF-8 text.
std::string_view character(std::string_view text, unsigned index) {
  std::size_t at = 0;
  for (; index > 0; --index) {
    for (++at; continues_character(text[at]);) ++at;
  }
  std::size_t end = at + 1;
  while (end < text.size() && continues_character(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string utf8(std::uint8_t code) {
  if (code >= 0x80) return std::string{character(kUpper, code - 0x80U)};
  if (code == 0x7F) return "⌂";
  if (code < 0x20) return std::string{character(kControls, code)};
  return {static_cast<char>(code)};
}

Screen screen_of(std::span<const std::uint8_t> cells, unsigned columns) {
  Screen screen;
  while (!cells.empty()) {
    std::string text;
    std::vector<std::uint8_t> attributes;
    for (unsigned column = 0; column < columns; ++column) {
      text += utf8(cells[column * kCellSize]);
      attributes.push_back(cells[column * kCellSize + 1]);
    }
    screen.rows.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
    screen.attributes.push_back(std::move(attributes));
    cells = cells.subspan(columns * kCellSize);
  }
  return screen;
}

// The cells that a display shows: the rest of the text modes' memory follows its beginning.
std::vector<std::uint8_t> cells_of(const internal::Display& display,
                                   const internal::Backing& memory) {
  using internal::kTextMemorySize;
  if (display.mode->layout != internal::DisplayLayout::kText) return display.text;
  const std::vector<std::uint8_t> all = memory.read(display.mode->memory, kTextMemorySize);
  std::vector<std::uint8_t> cells(std::uint64_t{display.mode->columns} * display.rows * kCellSize);
  if (all.size() != kTextMemorySize) return {};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = all[(display.first_cell * kCellSize + i) % kTextMemorySize];
  }
  return cells;
}

}  // namespace

std::vector<std::string> text_screen(const GuestMemory& memory) {
  if (!memory.is_ram(kTextScreen, kRows * kColumns * kCellSize)) return {};
  return screen_of(memory.read_bytes(kTextScreen, kRows * kColumns * kCellSize), kColumns).rows;
}

Screen Outcome::screen() const {
  if (record == nullptr || record->memory == nullptr) return {};
  if (!record->display) {
    return screen_of(record->memory->read(kTextScreen, kRows * kColumns * kCellSize), kColumns);
  }
  const internal::Display& display = *record->display;
  Screen screen = screen_of(cells_of(display, *record->memory), display.mode->columns);
  constexpr unsigned kCells = internal::kTextMemorySize / kCellSize;
  const unsigned cursor = (display.cursor_cell - display.first_cell) % kCells;
  screen.cursor = {.row = cursor / display.mode->columns, .column = cursor % display.mode->columns};
  return screen;
}

std::string to_string(const Screen& screen) {
  std::size_t last = screen.rows.size();
  while (last > 0 && screen.rows[last - 1].empty()) --last;
  std::string text;
  for (std::size_t row = 0; row < last; ++row) text += fmt::format("|{}\n", screen.rows[row]);
  return text.empty() ? "(nothing)\n" : text;
}

}  // namespace hltest
