#include "bios/text_page.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"

namespace hltest::internal {
namespace {

constexpr std::uint8_t kMonochrome = 7;
constexpr std::uint64_t kCellSize = 2;
constexpr std::uint8_t kPages = 8;
constexpr std::size_t kTextMemory = 0x8000;

void clear_text(GuestMemory& memory) {
  constexpr std::uint8_t kWhiteOnBlack = 0x07;
  std::vector<std::uint8_t> blank(kTextMemory);
  for (std::size_t i = 0; i < kTextMemory; i += 2) {
    blank[i] = ' ';
    blank[i + 1] = kWhiteOnBlack;
  }
  memory.write_bytes(kTextScreen, blank);
}

Gpa text_memory(std::uint8_t mode) { return mode == kMonochrome ? Gpa{0xB0000} : kTextScreen; }

}  // namespace

bool is_text_mode(std::uint8_t mode) { return mode <= 3 || mode == kMonochrome; }

bool is_vga_mode(std::uint8_t mode) { return mode <= 7 || (mode >= 0x0D && mode <= 0x13); }

void put_video_mode(std::uint8_t mode, bool keeps_memory, GuestMemory& memory) {
  const bool has_40_columns = mode <= 1 || mode == 4 || mode == 5 || mode == 0x0D || mode == 0x13;
  const bool has_30_rows = mode == 0x11 || mode == 0x12;
  memory.write<std::uint8_t>(kBiosVideoMode, mode);
  memory.write<std::uint16_t>(kBiosColumns, has_40_columns ? 40 : 80);
  memory.write<std::uint16_t>(kBiosPageSize, has_40_columns ? 0x800 : 0x1000);
  memory.write<std::uint16_t>(kBiosPageStart, 0);
  memory.write<std::array<std::uint16_t, 8>>(kBiosCursors, {});
  memory.write<std::uint16_t>(kBiosCursorShape, 0x0607);
  memory.write<std::uint8_t>(kBiosActivePage, 0);
  memory.write<std::uint16_t>(kBiosActivePage + 1, 0x3D4);  // the CRT controller's port
  memory.write<std::uint8_t>(kBiosLastRow, has_30_rows ? 29 : 24);
  memory.write<std::uint16_t>(kBiosCharacterHeight, is_text_mode(mode) || has_30_rows ? 16 : 8);
  constexpr std::uint8_t k256KiB = 0x60;
  memory.write<std::uint8_t>(kBiosVideoControl, k256KiB | (keeps_memory ? kModeKeptMemory : 0));
  if (keeps_memory) return;
  if (is_text_mode(mode)) return clear_text(memory);
  memory.fill(Gpa{0xA0000}, 0x10000, 0);
}

TextPage::TextPage(const BiosCall& call, std::uint8_t page)
    : call_(call),
      page_(page % kPages),
      // What a guest has made of the data area must not lead astray.
      columns_(std::clamp<unsigned>(call.memory().read<std::uint16_t>(kBiosColumns), 1, 132)),
      rows_(std::clamp<unsigned>(call.memory().read<std::uint8_t>(kBiosLastRow), 0, 59) + 1),
      has_cells_(is_text_mode(call.memory().read<std::uint8_t>(kBiosVideoMode))) {}

std::uint64_t TextPage::offset(unsigned row, unsigned column) const {
  const std::uint64_t page_size = call_.memory().read<std::uint16_t>(kBiosPageSize);
  return page_size * page_ + (std::uint64_t{row} * columns_ + column) * kCellSize;
}

Gpa TextPage::address(unsigned row, unsigned column) const {
  const Gpa base = text_memory(call_.memory().read<std::uint8_t>(kBiosVideoMode));
  return base + offset(row, column) % kTextMemory;
}

TextPage::Cursor TextPage::cursor() const {
  const auto word = call_.memory().read<std::uint16_t>(kBiosCursors + std::uint64_t{2} * page_);
  return {.column = static_cast<std::uint8_t>(word), .row = static_cast<std::uint8_t>(word >> 8U)};
}

void TextPage::set_cursor(Cursor cursor) const {
  call_.memory().write<std::uint16_t>(kBiosCursors + std::uint64_t{2} * page_,
                                      static_cast<std::uint16_t>(cursor.row << 8U | cursor.column));
}

std::uint16_t TextPage::cell() const {
  const Cursor at = cursor();
  const Gpa gpa = address(at.row, at.column);
  return has_cells_ ? call_.memory().read<std::uint16_t>(gpa) : std::uint16_t{0};
}

void TextPage::put(Cursor at, std::uint8_t character, std::optional<std::uint8_t> attribute) const {
  if (!has_cells_ || offset(at.row, at.column) + kCellSize > kTextMemory) return;
  const Gpa gpa = address(at.row, at.column);
  call_.memory().write<std::uint8_t>(gpa, character);
  if (attribute) call_.memory().write<std::uint8_t>(gpa + 1, *attribute);
}

void TextPage::type(std::uint8_t character, std::optional<std::uint8_t> attribute) const {
  Cursor at = cursor();
  switch (character) {
    case '\a':
      return;
    case '\b':
      if (at.column > 0) --at.column;
      break;
    case '\n':
      ++at.row;
      break;
    case '\r':
      at.column = 0;
      break;
    default:
      put(at, character, attribute);
      if (++at.column >= columns_) {
        at.column = 0;
        ++at.row;
      }
  }
  if (at.row >= rows_) {
    at.row = static_cast<std::uint8_t>(rows_ - 1);
    const std::uint8_t blank =
        has_cells_ ? call_.memory().read<std::uint8_t>(address(at.row, at.column) + 1) : 0;
    scroll({.bottom = rows_ - 1, .right = columns_ - 1}, 1, blank);
  }
  set_cursor(at);
}

void TextPage::scroll(Window window, int lines, std::uint8_t attribute) const {
  window.bottom = std::min(window.bottom, rows_ - 1);
  window.right = std::min(window.right, columns_ - 1);
  if (!has_cells_ || window.top > window.bottom || window.left > window.right) return;
  const auto height = static_cast<int>(window.bottom - window.top + 1);
  if (lines == 0 || std::abs(lines) > height) lines = height;
  const std::uint64_t width = (window.right - window.left + 1) * kCellSize;
  std::vector<std::uint8_t> blank;
  for (std::uint64_t i = 0; i < width; i += kCellSize) blank.insert(blank.end(), {' ', attribute});

  std::vector<std::vector<std::uint8_t>> before;
  before.reserve(static_cast<std::size_t>(height));
  for (int i = 0; i < height; ++i) {
    before.push_back(call_.memory().read_bytes(
        address(window.top + static_cast<unsigned>(i), window.left), width));
  }
  for (int i = 0; i < height; ++i) {
    const int from = i + lines;
    call_.memory().write_bytes(
        address(window.top + static_cast<unsigned>(i), window.left),
        from >= 0 && from < height ? before.at(static_cast<std::size_t>(from)) : blank);
  }
}

}  // namespace hltest::internal
