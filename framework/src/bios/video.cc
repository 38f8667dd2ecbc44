// INT 10h: the display.
#include <algorithm>
#include <array>
#include <span>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"
#include "bios/graphics.h"
#include "bios/text_page.h"

namespace hltest::internal {
namespace {

std::uint8_t active_page(const BiosCall& call) {
  return call.memory().read<std::uint8_t>(kBiosActivePage);
}

void set_mode(BiosCall& call) {
  constexpr std::uint8_t kKeepsMemory = 0x80;
  Registers& r = call.registers();
  call.call.name = "set the video mode";
  const std::uint8_t number = r.al() & 0x7FU;
  const bool keeps_memory = (r.al() & kKeepsMemory) != 0;
  // As VGA BIOSes do, it ignores a mode that it does not have.
  if (const VideoMode* const mode = video_mode(number)) {
    put_video_mode(*mode, keeps_memory, call.memory());
    call.vga().set_mode(*mode, keeps_memory);
  }
  r.set_al(number > 7 ? 0x20 : number == 6 ? 0x3F : 0x30);
}

// AH = 09h and 0Ah: at the cursor, which stays.
void write_characters(BiosCall& call, bool with_attribute) {
  const Registers& r = call.registers();
  call.call.name = "write characters";
  const TextPage page{call, r.bh()};
  TextPage::Cursor at = page.cursor();
  for (unsigned left = r.cx(); left > 0; --left) {
    page.put(at, r.al(), with_attribute ? std::optional{r.bl()} : std::nullopt);
    if (++at.column < page.columns()) continue;
    at.column = 0;
    if (++at.row == 0) break;
  }
  const unsigned cells = page.columns() * page.rows();
  call.call.text.assign(std::min<unsigned>(r.cx(), cells), static_cast<char>(r.al()));
}

void type_character(BiosCall& call) {
  call.call.name = "teletype";
  const Registers& r = call.registers();
  const bool is_drawn = call.vga().mode().layout != DisplayLayout::kText;  // in the colour of BL
  TextPage{call, active_page(call)}.type(r.al(), is_drawn ? std::optional{r.bl()} : std::nullopt);
  call.call.text.assign(1, static_cast<char>(r.al()));
}

// AH = 13h. Bit 0 of AL moves the cursor, bit 1 says that attributes are in the string.
void write_string(BiosCall& call) {
  const Registers& r = call.registers();
  call.call.name = "write a string";
  const bool moves = (r.al() & 1U) != 0;
  const bool has_attributes = (r.al() & 2U) != 0;
  const Gpa from = call.address(r.es, r.bp());
  const std::uint64_t size = std::uint64_t{r.cx()} * (has_attributes ? 2 : 1);
  if (!call.memory().is_ram(from, size) || size == 0) return;
  const std::vector<std::uint8_t> bytes = call.memory().read_bytes(from, size);
  const TextPage page{call, r.bh()};
  const TextPage::Cursor before = page.cursor();
  page.set_cursor({.column = r.dl(), .row = r.dh()});
  for (std::size_t i = 0; i < bytes.size(); i += has_attributes ? 2 : 1) {
    page.type(bytes[i], has_attributes ? bytes[i + 1] : r.bl());
    call.call.text += static_cast<char>(bytes[i]);
  }
  if (!moves) page.set_cursor(before);
}

void scroll(BiosCall& call, bool up) {
  const Registers& r = call.registers();
  call.call.name = up ? "scroll up" : "scroll down";
  const int lines = r.al();
  TextPage{call, active_page(call)}.scroll(
      {.top = r.ch(), .left = r.cl(), .bottom = r.dh(), .right = r.dl()}, up ? lines : -lines,
      r.bh());
}

void tell_cursor(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the cursor";
  const TextPage::Cursor at = TextPage{call, r.bh()}.cursor();
  r.set_cx(call.memory().read<std::uint16_t>(kBiosCursorShape));
  r.set_dh(at.row);
  r.set_dl(at.column);
}

void choose_page(BiosCall& call) {
  constexpr std::uint8_t kLastPage = 7;
  GuestMemory& memory = call.memory();
  call.call.name = "choose a page";
  const std::uint8_t page = call.registers().al();
  if (page > kLastPage) return;
  memory.write<std::uint8_t>(kBiosActivePage, page);
  memory.write<std::uint16_t>(
      kBiosPageStart, static_cast<std::uint16_t>(page * memory.read<std::uint16_t>(kBiosPageSize)));
  call.vga().set_first_cell(memory.read<std::uint16_t>(kBiosPageStart) / 2U);
  TextPage{call, page}.show_cursor();
}

void tell_mode(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the video mode";
  const GuestMemory& memory = call.memory();
  r.set_al(
      static_cast<std::uint8_t>(memory.read<std::uint8_t>(kBiosVideoMode) |
                                (memory.read<std::uint8_t>(kBiosVideoControl) & kModeKeptMemory)));
  r.set_ah(static_cast<std::uint8_t>(call.memory().read<std::uint16_t>(kBiosColumns)));
  r.set_bh(active_page(call));
}

// AH = 11h: of the BIOS's own fonts, by which a text mode has more rows or fewer.
void choose_font(BiosCall& call) {
  constexpr std::uint8_t kWithRows = 0x10;
  constexpr unsigned kScanLines = 400;
  const std::uint8_t function = call.registers().al();
  const std::uint8_t font = function & ~kWithRows;
  const std::uint8_t height = font == 1 ? 14 : font == 2 ? 8 : font == 4 ? 16 : 0;
  if (height == 0) return leave(call);
  call.call.name = "choose a font";
  if ((function & kWithRows) == 0 || call.vga().mode().layout != DisplayLayout::kText) return;
  const auto rows = static_cast<std::uint8_t>(kScanLines / height);
  GuestMemory& memory = call.memory();
  memory.write<std::uint16_t>(kBiosCharacterHeight, height);
  memory.write<std::uint8_t>(kBiosLastRow, static_cast<std::uint8_t>(rows - 1));
  constexpr unsigned kPageUnit = 0x800;
  const unsigned size = call.vga().mode().columns * rows * 2U;
  memory.write<std::uint16_t>(
      kBiosPageSize, static_cast<std::uint16_t>((size + kPageUnit - 1) / kPageUnit * kPageUnit));
  call.vga().set_rows(rows);
}

// AH = 12h, BL = 10h, and AH = 1Ah: how programs tell a VGA.
bool tell_display(BiosCall& call) {
  Registers& r = call.registers();
  if (r.ah() == 0x12 && r.bl() == 0x10) {
    call.call.name = "read the display's configuration";
    r.set_bx(0x0003);  // colour, 256 KiB
    r.set_cx(0x0009);
    return true;
  }
  if (r.ax() != 0x1A00) return false;
  call.call.name = "read the display's type";
  r.set_al(0x1A);
  r.set_bx(0x0008);  // VGA with colour
  return true;
}

}  // namespace

void serve_video(BiosCall& call) {
  Registers& r = call.registers();
  GuestMemory& memory = call.memory();
  switch (r.ah()) {
    case 0x00:
      return set_mode(call);
    case 0x01:
      call.call.name = "set the cursor's shape";
      return memory.write<std::uint16_t>(kBiosCursorShape, r.cx());
    case 0x02:
      call.call.name = "set the cursor";
      return TextPage{call, r.bh()}.set_cursor({.column = r.dl(), .row = r.dh()});
    case 0x03:
      return tell_cursor(call);
    case 0x05:
      return choose_page(call);
    case 0x06:
    case 0x07:
      return scroll(call, r.ah() == 0x06);
    case 0x08:
      call.call.name = "read a character";
      return r.set_ax(TextPage{call, r.bh()}.cell());
    case 0x09:
    case 0x0A:
      return write_characters(call, r.ah() == 0x09);
    case 0x0B:
      call.call.name = "set colours";
      return;
    case 0x0C:
      return write_pixel(call);
    case 0x0D:
      return read_pixel(call);
    case 0x0E:
      return type_character(call);
    case 0x0F:
      return tell_mode(call);
    case 0x10:
      return serve_palette(call);
    case 0x11:
      return choose_font(call);
    case 0x13:
      return write_string(call);
    default:
      if (!tell_display(call)) leave(call);
  }
}

}  // namespace hltest::internal
