#include "bios/text_page.h"

#include <algorithm>
#include <cstdlib>

#include "bios/bios_data.h"

namespace hltest::internal {
namespace {

constexpr std::uint64_t kCellSize = 2;
constexpr std::uint8_t kPages = 8;

}  // namespace

TextPage::TextPage(const BiosCall& call, std::uint8_t page)
    : call_(call),
      page_(page % kPages),
      // What a guest has made of the data area must not lead astray.
      columns_(std::clamp<unsigned>(call.memory().read<std::uint16_t>(kBiosColumns), 1, 132)),
      rows_(std::clamp<unsigned>(call.memory().read<std::uint8_t>(kBiosLastRow), 0, 59) + 1) {}

bool TextPage::is_text_mode() const { return call_.vga().mode().layout == DisplayLayout::kText; }

std::uint64_t TextPage::offset(unsigned row, unsigned column) const {
  const std::uint64_t cell = (std::uint64_t{row} * columns_ + column) * kCellSize;
  if (!is_text_mode()) return cell;
  return std::uint64_t{call_.memory().read<std::uint16_t>(kBiosPageSize)} * page_ + cell;
}

std::vector<std::uint8_t> TextPage::read(std::uint64_t offset, std::uint64_t size) const {
  const std::span<const std::uint8_t> text = call_.vga().text();
  const std::uint64_t end = is_text_mode() ? kTextMemorySize : text.size();
  if (offset + size > end) return std::vector<std::uint8_t>(size);
  if (is_text_mode()) return call_.memory().read_bytes(call_.vga().mode().memory + offset, size);
  const auto cells = text.subspan(offset, size);
  return {cells.begin(), cells.end()};
}

void TextPage::write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
  const std::span<std::uint8_t> text = call_.vga().text();
  const std::uint64_t end = is_text_mode() ? kTextMemorySize : text.size();
  if (offset + bytes.size() > end) return;
  if (is_text_mode()) return call_.memory().write_bytes(call_.vga().mode().memory + offset, bytes);
  std::ranges::copy(bytes, text.subspan(offset).begin());
}

TextPage::Cursor TextPage::cursor() const {
  const auto word = call_.memory().read<std::uint16_t>(kBiosCursors + std::uint64_t{2} * page_);
  return {.column = static_cast<std::uint8_t>(word), .row = static_cast<std::uint8_t>(word >> 8U)};
}

void TextPage::set_cursor(Cursor cursor) const {
  GuestMemory& memory = call_.memory();
  memory.write<std::uint16_t>(kBiosCursors + std::uint64_t{2} * page_,
                              static_cast<std::uint16_t>(cursor.row << 8U | cursor.column));
  if (memory.read<std::uint8_t>(kBiosActivePage) == page_) show_cursor();
}

void TextPage::show_cursor() const {
  const Cursor at = cursor();
  call_.vga().set_cursor_cell(static_cast<unsigned>(offset(at.row, at.column) / kCellSize));
}

std::uint16_t TextPage::cell() const {
  const Cursor at = cursor();
  const std::vector<std::uint8_t> bytes = read(offset(at.row, at.column), kCellSize);
  const std::uint8_t bits = call_.vga().mode().bits;
  const unsigned attribute = is_text_mode() ? bytes[1] : bytes[1] & ((1U << bits) - 1);
  return static_cast<std::uint16_t>(bytes[0] | attribute << 8U);
}

void TextPage::put(Cursor at, std::uint8_t character, std::optional<std::uint8_t> attribute) const {
  const std::uint64_t cell = offset(at.row, at.column);
  write(cell, {{character}});
  if (attribute) write(cell + 1, {{*attribute}});
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
    const std::uint8_t of_row =
        is_text_mode() ? read(offset(at.row, at.column), kCellSize)[1] : std::uint8_t{0};
    scroll({.bottom = rows_ - 1, .right = columns_ - 1}, 1, of_row);
  }
  set_cursor(at);
}

void TextPage::scroll(Window window, int lines, std::uint8_t attribute) const {
  window.bottom = std::min(window.bottom, rows_ - 1);
  window.right = std::min(window.right, columns_ - 1);
  if (window.top > window.bottom || window.left > window.right) return;
  const auto height = static_cast<int>(window.bottom - window.top + 1);
  if (lines == 0 || std::abs(lines) > height) lines = height;
  const std::uint64_t width = (window.right - window.left + 1) * kCellSize;
  std::vector<std::uint8_t> cleared;
  for (std::uint64_t i = 0; i < width; i += kCellSize) {
    cleared.insert(cleared.end(), {blank(), attribute});
  }
  const auto row = [&](int index) {
    return offset(window.top + static_cast<unsigned>(index), window.left);
  };
  std::vector<std::vector<std::uint8_t>> before;
  before.reserve(static_cast<std::size_t>(height));
  for (int i = 0; i < height; ++i) before.push_back(read(row(i), width));
  for (int i = 0; i < height; ++i) {
    const int from = i + lines;
    write(row(i), from >= 0 && from < height ? before.at(static_cast<std::size_t>(from)) : cleared);
  }
}

}  // namespace hltest::internal
