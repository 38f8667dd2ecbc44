#include <hltest/memory_layout.h>
#include <hltest/outcome.h>
#include <hltest/text_screen.h>

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "bios/bios_data.h"
#include "machine/run_record.h"

namespace hltest {
namespace {

constexpr std::uint64_t kRows = 25;
constexpr std::uint64_t kColumns = 80;
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

Screen screen_of(const std::vector<std::uint8_t>& cells) {
  Screen screen;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    std::string text;
    std::vector<std::uint8_t> attributes;
    for (std::uint64_t column = 0; column < kColumns; ++column) {
      const std::uint64_t cell = (row * kColumns + column) * kCellSize;
      text += utf8(cells[cell]);
      attributes.push_back(cells[cell + 1]);
    }
    screen.rows.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
    screen.attributes.push_back(std::move(attributes));
  }
  return screen;
}

}  // namespace

std::vector<std::string> text_screen(const GuestMemory& memory) {
  if (!memory.is_ram(kTextScreen, kRows * kColumns * kCellSize)) return {};
  return screen_of(memory.read_bytes(kTextScreen, kRows * kColumns * kCellSize)).rows;
}

Screen Outcome::screen() const {
  if (record == nullptr || record->memory == nullptr) return {};
  // The page that the BIOS shows; 0 where there is none.
  const std::vector<std::uint8_t> shown = !disks.empty()
                                              ? record->memory->read(internal::kBiosPageStart, 2)
                                              : std::vector<std::uint8_t>(2);
  const std::vector<std::uint8_t> cells = record->memory->read(
      kTextScreen + (shown.size() == 2 ? shown[0] | unsigned{shown[1]} << 8U : 0U) % 0x7000U,
      kRows * kColumns * kCellSize);
  if (cells.size() != kRows * kColumns * kCellSize) return {};
  Screen screen = screen_of(cells);
  const auto page = record->memory->read(internal::kBiosActivePage, 1);
  const auto cursor = record->memory->read(
      internal::kBiosCursors + std::uint64_t{2} * (page.empty() ? 0 : page[0] % 8U), 2);
  if (!disks.empty() && cursor.size() == 2) screen.cursor = {.row = cursor[1], .column = cursor[0]};
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
