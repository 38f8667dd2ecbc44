#include <hltest/memory_layout.h>
#include <hltest/text_screen.h>

#include <cstdint>
#include <string_view>

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

}  // namespace

std::vector<std::string> text_screen(const GuestMemory& memory) {
  if (!memory.is_ram(kTextScreen, kRows * kColumns * kCellSize)) return {};
  std::vector<std::string> rows;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    std::string text;
    const std::vector<std::uint8_t> cells =
        memory.read_bytes(kTextScreen + row * kColumns * kCellSize, kColumns * kCellSize);
    for (std::uint64_t column = 0; column < kColumns; ++column) {
      text += utf8(cells[column * kCellSize]);
    }
    rows.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
  }
  return rows;
}

}  // namespace hltest
