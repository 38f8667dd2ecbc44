// INT 10h.
#include "service_harness.h"

namespace hltest::internal {
namespace {

using VideoServiceTest = ServiceTest;

TEST_F(VideoServiceTest, TeletypeMovesTheCursorAndKeepsAttributes) {
  memory_.write<std::uint16_t>(kTextScreen + 2, 0x1F20);
  type('a');
  type('b');
  EXPECT_EQ(cell(0, 0), 0x0761);
  EXPECT_EQ(cell(0, 1), 0x1F62) << "the attribute stays";
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0002);
  EXPECT_EQ(call_.name, "read the cursor");
}

TEST_F(VideoServiceTest, TeletypeObeysControls) {
  for (const char c : {'a', 'b', '\b', 'c', '\n', 'd', '\r', 'e', '\a'}) type(c);
  EXPECT_EQ(row(0), "ac");
  EXPECT_EQ(row(1), "e d");
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0101);
}

TEST_F(VideoServiceTest, TeletypeWrapsAndScrolls) {
  call(0x10, {.rax = 0x0200, .rdx = 0x184F});  // the last cell
  memory_.write<std::uint16_t>(kTextScreen + 80 * 2, 0x0758);
  type('z');
  std::string last_column(80, ' ');
  last_column.back() = 'z';
  EXPECT_EQ(row(23), last_column) << "one row up";
  EXPECT_EQ(row(0), "X");
  EXPECT_EQ(row(24), "");
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x1800);
}

TEST_F(VideoServiceTest, WritesCharactersWithoutMovingTheCursor) {
  call(0x10, {.rax = 0x0200, .rdx = 0x0105});
  call(0x10, {.rax = 0x0941, .rbx = 0x004E, .rcx = 3});
  EXPECT_EQ(cell(1, 5), 0x4E41);
  EXPECT_EQ(cell(1, 7), 0x4E41);
  EXPECT_EQ(cell(1, 8), 0x0720);
  call(0x10, {.rax = 0x0A42, .rbx = 0x0012, .rcx = 1});
  EXPECT_EQ(cell(1, 5), 0x4E42) << "0Ah keeps the attribute";
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0105);
  EXPECT_EQ(call(0x10, {.rax = 0x0800}).ax(), 0x4E42);
}

// VGA BIOSes do not stop at the last row.
TEST_F(VideoServiceTest, CharactersBeyondTheLastCellAreOnTheNextPage) {
  call(0x10, {.rax = 0x0200, .rdx = 0x184E});
  call(0x10, {.rax = 0x0944, .rbx = 0x002F, .rcx = 4});
  EXPECT_EQ(cell(24, 79), 0x2F44);
  EXPECT_EQ(cell(25, 1), 0x2F44);
  EXPECT_EQ(cell(25, 2), 0x0720);
  call(0x10, {.rax = 0x0945, .rbx = 0x001F, .rcx = 0xFFFF});
  EXPECT_EQ(memory_.read<std::uint16_t>(kTextScreen + 0x7FFE), 0x1F45);
  EXPECT_EQ(memory_.read<std::uint64_t>(Gpa{0xC0000}), 0U) << "the end of the display's memory";
}

TEST_F(VideoServiceTest, WritesStrings) {
  memory_.write_string(Gpa{0x20010}, "Hi");
  call(0x10, {.rax = 0x1301, .rbx = 0x000A, .rcx = 2, .rdx = 0x0203, .rbp = 0x10}, 0x2000);
  EXPECT_EQ(row(2), "   Hi");
  EXPECT_EQ(cell(2, 3), 0x0A48);
  EXPECT_EQ(call_.text, "Hi");
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0205);
  memory_.write_bytes(Gpa{0x20010}, std::vector<std::uint8_t>{'A', 0x12, 'B', 0x34});
  call(0x10, {.rax = 0x1302, .rcx = 2, .rdx = 0x0300, .rbp = 0x10}, 0x2000);
  EXPECT_EQ(cell(3, 0), 0x1241);
  EXPECT_EQ(cell(3, 1), 0x3442);
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0205) << "bit 0 of AL is 0: the cursor stays";
}

TEST_F(VideoServiceTest, ScrollsAWindow) {
  for (unsigned i = 0; i < 4; ++i) {
    memory_.write<std::uint32_t>(kTextScreen + i * 160, 0x07610761 + i * 0x00010001);
  }
  call(0x10, {.rax = 0x0601, .rbx = 0x1700, .rcx = 0x0100, .rdx = 0x0300});  // column 0 of rows 1-3
  EXPECT_EQ(row(0), "aa");
  EXPECT_EQ(row(1), "cb");
  EXPECT_EQ(row(2), "dc");
  EXPECT_EQ(row(3), " d");
  EXPECT_EQ(cell(3, 0), 0x1720);
  call(0x10, {.rax = 0x0701, .rbx = 0x0700, .rcx = 0x0000, .rdx = 0x0100});
  EXPECT_EQ(row(0), " a");
  EXPECT_EQ(row(1), "ab");
  call(0x10, {.rax = 0x0600, .rbx = 0x0700, .rcx = 0, .rdx = 0x184F});
  EXPECT_EQ(row(2), "") << "AL = 0 clears";
}

TEST_F(VideoServiceTest, SettingAModeClears) {
  type('a');
  call(0x10, {.rax = 0x0083});
  EXPECT_EQ(row(0), "a") << "bit 7 keeps the memory";
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).al(), 0x83) << "and is told";
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0);
  call(0x10, {.rax = 0x0003});
  EXPECT_EQ(row(0), "");
  call(0x10, {.rax = 0x0001});
  const Registers mode = call(0x10, {.rax = 0x0F00});
  EXPECT_EQ(mode.al(), 1);
  EXPECT_EQ(mode.ah(), 40) << "columns";
}

TEST_F(VideoServiceTest, AModeThatAVgaLacksIsIgnored) {
  type('a');
  call(0x10, {.rax = 0x007F});
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).al(), 3);
  call(0x10, {.rax = 0x0008});
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).al(), 3);
  EXPECT_EQ(row(0), "a");
}

TEST_F(VideoServiceTest, Mode13hHasPixels) {
  call(0x10, {.rax = 0x0013});
  call(0x10, {.rax = 0x0C2A, .rcx = 319, .rdx = 199});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xA0000 + 320 * 200 - 1}), 0x2A);
  EXPECT_EQ(call(0x10, {.rax = 0x0D00, .rcx = 319, .rdx = 199}).al(), 0x2A);
  call(0x10, {.rax = 0x0C85, .rcx = 319, .rdx = 199});
  EXPECT_EQ(call(0x10, {.rax = 0x0D00, .rcx = 319, .rdx = 199}).al(), 0x85) << "no XOR";
  call(0x10, {.rax = 0x0CFF, .rcx = 320, .rdx = 199});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xA0000 + 320 * 200}), 0) << "beyond the row";
}

// IBM VGA Technical Reference: the modes' sizes.
TEST_F(VideoServiceTest, EachModeHasItsPixels) {
  struct Mode {
    unsigned number;
    unsigned width;
    unsigned height;
    std::uint8_t colours;
  };
  for (const Mode& mode : std::vector<Mode>{{0x04, 320, 200, 4},
                                            {0x05, 320, 200, 4},
                                            {0x06, 640, 200, 2},
                                            {0x0D, 320, 200, 16},
                                            {0x0E, 640, 200, 16},
                                            {0x0F, 640, 350, 2},
                                            {0x10, 640, 350, 16},
                                            {0x11, 640, 480, 2},
                                            {0x12, 640, 480, 16}}) {
    call(0x10, {.rax = mode.number});
    const auto pixel = [this](unsigned x, unsigned y) {
      return call(0x10, {.rax = 0x0D00, .rcx = x, .rdx = y}).al();
    };
    const unsigned right = mode.width - 1;
    const unsigned bottom = mode.height - 1;
    EXPECT_EQ(pixel(right, bottom), 0) << mode.number;
    call(0x10, {.rax = 0x0C00U | (mode.colours - 1U), .rcx = right, .rdx = bottom});
    EXPECT_EQ(pixel(right, bottom), mode.colours - 1) << mode.number;
    EXPECT_EQ(pixel(right - 1, bottom), 0) << mode.number;
    EXPECT_EQ(pixel(right, bottom - 1), 0) << mode.number;
    call(0x10, {.rax = 0x0C81, .rcx = right, .rdx = bottom});
    EXPECT_EQ(pixel(right, bottom), mode.colours - 2)
        << "bit 7 of AL changes bits: " << mode.number;
    call(0x10, {.rax = 0x0C00U | mode.colours, .rcx = 3, .rdx = 1});
    EXPECT_EQ(pixel(3, 1), 0) << "a colour that the mode lacks is cut: " << mode.number;
    call(0x10, {.rax = 0x0C01, .rcx = mode.width, .rdx = 0});
    EXPECT_EQ(pixel(0, 1), 0) << "beyond the edge is nothing: " << mode.number;
    call(0x10, {.rax = 0x0C01, .rcx = 0, .rdx = mode.height});
    EXPECT_EQ(pixel(0, mode.height), 0) << mode.number;
    call(0x10, {.rax = 0x0C01, .rcx = right, .rdx = bottom});
    call(0x10, {.rax = mode.number | 0x80U});
    EXPECT_NE(pixel(right, bottom), 0) << "bit 7 keeps what was drawn: " << mode.number;
    call(0x10, {.rax = mode.number});
    EXPECT_EQ(pixel(right, bottom), 0) << mode.number;
  }
}

// The CGA's modes keep the odd rows 2000h bytes after the even ones, the leftmost pixel in the high
// bits.
TEST_F(VideoServiceTest, TheCgasModesArePackedInMemory) {
  call(0x10, {.rax = 0x0004});
  call(0x10, {.rax = 0x0C02, .rcx = 5, .rdx = 3});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xB8000 + 0x2000 + 80 + 1}), 2U << 4U);
  call(0x10, {.rax = 0x0006});
  call(0x10, {.rax = 0x0C01, .rcx = 9, .rdx = 2});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xB8000 + 80 + 1}), 1U << 6U);
}

TEST_F(VideoServiceTest, AGraphicsModeHasTextOfItsOwn) {
  type('a');
  call(0x10, {.rax = 0x0013});
  call(0x10, {.rax = 0x0E62, .rbx = 0x0F});
  EXPECT_EQ(row(0), "a") << "the text mode's memory is not touched";
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x0001);
  call(0x10, {.rax = 0x0200});
  EXPECT_EQ(call(0x10, {.rax = 0x0800}).ax(), 0x0F00 | 'b') << "and its colour";
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).cx(), 0) << "no cursor is shown";
  call(0x10, {.rax = 0x0200, .rdx = 0x1827});
  type('c');
  EXPECT_EQ(call(0x10, {.rax = 0x0300}).dx(), 0x1800) << "40 columns, 25 rows";
  call(0x10, {.rax = 0x0200});
  EXPECT_EQ(call(0x10, {.rax = 0x0800}).al(), 0) << "it scrolled";
}

TEST_F(VideoServiceTest, ASmallerFontMakesMoreRows) {
  call(0x10, {.rax = 0x1112});
  call(0x10, {.rax = 0x0200, .rdx = 0x3100});
  type('x');
  EXPECT_EQ(memory_.read<std::uint8_t>(kTextScreen + 49 * 160), 'x');
  EXPECT_EQ(memory_.read<std::uint8_t>(kBiosLastRow), 49);
  EXPECT_EQ(memory_.read<std::uint16_t>(kBiosPageSize), 0x2000);
  call(0x10, {.rax = 0x1111});
  EXPECT_EQ(memory_.read<std::uint8_t>(kBiosLastRow), 27);
  call(0x10, {.rax = 0x1114});
  EXPECT_EQ(memory_.read<std::uint8_t>(kBiosLastRow), 24);
  EXPECT_EQ(memory_.read<std::uint16_t>(kBiosPageSize), 0x1000);
  call(0x10, {.rax = 0x1102});
  EXPECT_EQ(memory_.read<std::uint8_t>(kBiosLastRow), 24) << "without bit 4 the rows stay";
  call(0x10, {.rax = 0x1130});
  EXPECT_FALSE(call_.is_known) << "it has no fonts to tell of";
}

TEST_F(VideoServiceTest, ColoursAreKept) {
  const Registers usual = call(0x10, {.rax = 0x1015, .rbx = 0x3E});
  EXPECT_EQ(usual.dh(), 63) << "red";
  EXPECT_EQ(usual.ch(), 63) << "green";
  EXPECT_EQ(usual.cl(), 21) << "blue";
  call(0x10, {.rax = 0x1010, .rbx = 9, .rcx = 0x0203, .rdx = 0x4100});
  const Registers own = call(0x10, {.rax = 0x1015, .rbx = 9});
  EXPECT_EQ(own.dh(), 1) << "six bits";
  EXPECT_EQ(own.cx(), 0x0203);
  memory_.write_bytes(Gpa{0x500}, std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6});
  call(0x10, {.rax = 0x1012, .rbx = 254, .rcx = 2, .rdx = 0x500});
  call(0x10, {.rax = 0x1017, .rbx = 254, .rcx = 2, .rdx = 0x600});
  EXPECT_THAT(memory_.read_bytes(Gpa{0x600}, 6), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  call(0x10, {.rax = 0x1017, .rbx = 254, .rcx = 3, .rdx = 0x700});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x700}), 0) << "there are 256 colours";

  EXPECT_EQ(call(0x10, {.rax = 0x1007, .rbx = 6}).bh(), 0x14) << "brown";
  call(0x10, {.rax = 0x1000, .rbx = 0x2106});
  EXPECT_EQ(call(0x10, {.rax = 0x1007, .rbx = 6}).bh(), 0x21);
  call(0x10, {.rax = 0x1001, .rbx = 0x3300});
  EXPECT_EQ(call(0x10, {.rax = 0x1008}).bh(), 0x33);
  call(0x10, {.rax = 0x1003, .rbx = 0});
  EXPECT_EQ(call(0x10, {.rax = 0x1007, .rbx = 0x10}).bh() & 8, 0) << "no blinking";
  call(0x10, {.rax = 0x1003, .rbx = 1});
  EXPECT_EQ(call(0x10, {.rax = 0x1007, .rbx = 0x10}).bh() & 8, 8);
  call(0x10, {.rax = 0x1042});
  EXPECT_FALSE(call_.is_known);
}

TEST_F(VideoServiceTest, PagesAreApart) {
  call(0x10, {.rax = 0x0501});
  type('p');
  EXPECT_EQ(row(0), "") << "page 0";
  EXPECT_EQ(memory_.read<std::uint8_t>(kTextScreen + 0x1000), 'p');
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).bh(), 1);
  call(0x10, {.rax = 0x050A});
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).bh(), 1) << "there is no page 10";
  EXPECT_EQ(bios_.vga->display().cursor_cell, 0x800U + 1);
  call(0x10, {.rax = 0x0200, .rdx = 0x0305});
  EXPECT_EQ(bios_.vga->display().cursor_cell, 0x800U + 1) << "page 0 is not shown";
  call(0x10, {.rax = 0x0500});
  EXPECT_EQ(bios_.vga->display().cursor_cell, 3U * 80 + 5);
  EXPECT_EQ(bios_.vga->display().first_cell, 0U);
}

// Whatever a guest has made of the data area, nothing outside the display's memory is written.
TEST_F(VideoServiceTest, ABrokenDataAreaDoesNoHarm) {
  memory_.fill(kBiosVideoMode, 0x40, 0xFF);
  for (unsigned function = 0; function <= 0x13; ++function) {
    call(0x10, {.rax = function << 8U | 0x41U, .rbx = 0xFFFF, .rcx = 0xFFFF, .rdx = 0xFFFF});
    memory_.fill(kBiosVideoMode, 0x40, 0xFF);
  }
  memory_.write<std::uint8_t>(kBiosVideoMode, 3);
  for (unsigned function = 1; function <= 0x13; ++function) {
    call(0x10, {.rax = function << 8U | 0x41U, .rbx = 0xFFFF, .rcx = 0xFFFF, .rdx = 0xFFFF});
  }
  EXPECT_EQ(memory_.read<std::uint64_t>(Gpa{0x100000}), 0U);
}

TEST_F(VideoServiceTest, AFunctionThatItLacksIsNoKnownOne) {
  EXPECT_FALSE(call(0x10, {.rax = 0x4F00}).rflags.cf()) << "AX tells, not the carry flag";
  EXPECT_EQ(call_.after.ax(), 0x4F00);
  EXPECT_FALSE(call_.is_known);
}

}  // namespace
}  // namespace hltest::internal
