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
  call(0x10, {.rax = 0x0CFF, .rcx = 320, .rdx = 199});
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xA0000 + 320 * 200}), 0) << "beyond the row";
}

TEST_F(VideoServiceTest, PagesAreApart) {
  call(0x10, {.rax = 0x0501});
  type('p');
  EXPECT_EQ(row(0), "") << "page 0";
  EXPECT_EQ(memory_.read<std::uint8_t>(kTextScreen + 0x1000), 'p');
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).bh(), 1);
  call(0x10, {.rax = 0x050A});
  EXPECT_EQ(call(0x10, {.rax = 0x0F00}).bh(), 1) << "there is no page 10";
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
