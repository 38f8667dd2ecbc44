// The last byte of memory that a test can write and the first that it can't, and every character of
// the text screen. None of this needs KVM.
#include <hltest/hltest.h>

#include <unistd.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

void expect_writable(GuestMemory& memory, std::uint64_t first, std::uint64_t count,
                     bool is_writable) {
  const std::vector<std::uint8_t> bytes(count, 0x5A);
  const std::string error = message_of<MemoryError>([&] { memory.write_bytes(Gpa{first}, bytes); });
  EXPECT_EQ(error == "(nothing was thrown)", is_writable)
      << std::hex << first << ", " << count << ": " << error;
}

TEST(MemoryLimitsTest, InRealModeTheFrameworkHasTheRomsBeginning) {
  GuestMemory memory{2 * kMiB, CpuMode::kReal16};
  expect_writable(memory, 0xE'FFFF, 1, true);
  expect_writable(memory, 0xE'FFFF, 2, false);
  expect_writable(memory, 0xF'0000, 1, false);
  expect_writable(memory, 0xF'1FFF, 1, false);
  expect_writable(memory, 0xF'1FFF, 2, false);
  expect_writable(memory, 0xF'2000, 1, true);
  expect_writable(memory, 0xF'FFFF, 2, true);
  expect_writable(memory, 0x1F'FFFF, 1, true);
  expect_writable(memory, 0x1F'FFFF, 2, false);
  expect_writable(memory, 0xF'0000, 0, true);
}

TEST(MemoryLimitsTest, OutsideRealModeRamGoesOnAt4GiB) {
  GuestMemory memory{4 * kGiB, CpuMode::kLong64};
  expect_writable(memory, 0xF'0000, 0x10000, true);
  expect_writable(memory, 0xEFFF'FFFF, 1, true);
  expect_writable(memory, 0xEFFF'FFFF, 2, false);
  expect_writable(memory, 0xF000'0000, 1, false);
  expect_writable(memory, 0xFFFF'FFFF, 1, false);
  expect_writable(memory, 0x1'0000'0000, 1, true);
  expect_writable(memory, 0x1'0FFF'FFFF, 1, true);
  expect_writable(memory, 0x1'1000'0000, 1, false);
}

TEST(MemoryLimitsTest, RamThatEndsWhereTheSystemRegionBeginsHasNoSecondPart) {
  const GuestMemory exact{0xF000'0000, CpuMode::kLong64};
  EXPECT_EQ(exact.describe_ram(), "RAM 0x0-0xefffffff");
  const GuestMemory more{0xF000'1000, CpuMode::kLong64};
  EXPECT_EQ(more.describe_ram(), "RAM 0x0-0xefffffff and 0x100000000-0x100000fff");
  const GuestMemory below_the_rom{0xF'0000, CpuMode::kReal16};
  EXPECT_EQ(below_the_rom.describe_ram(), "RAM 0x0-0xeffff");
  const GuestMemory to_its_end{0x10'0000, CpuMode::kReal16};
  EXPECT_EQ(to_its_end.describe_ram(), "RAM 0x0-0xeffff");
  const GuestMemory beyond_it{0x10'1000, CpuMode::kReal16};
  EXPECT_EQ(beyond_it.describe_ram(), "RAM 0x0-0xeffff and 0x100000-0x100fff");
}

TEST(MemoryLimitsTest, AStringEndsWithinItsLimit) {
  GuestMemory memory{16 * kKiB, CpuMode::kProtected32};
  memory.fill(Gpa{0}, 16 * kKiB, 'x');
  memory.write<char>(Gpa{7}, 0);
  EXPECT_EQ(memory.read_string(Gpa{0}, 8), "xxxxxxx");
  EXPECT_THAT(message_of<MemoryError>([&] { (void)memory.read_string(Gpa{0}, 7); }),
              HasSubstr("does not end within 7 bytes"));
  memory.write<char>(Gpa{0x3FFF}, 0);
  EXPECT_EQ(memory.read_string(Gpa{0x3FFF}), "");
  EXPECT_EQ(memory.read_string(Gpa{0x3000}), std::string(0xFFF, 'x')) << "4 KiB by default";
  EXPECT_THROW((void)memory.read_string(Gpa{0x2FFF}), MemoryError);
  EXPECT_EQ(memory.read_string(Gpa{0x2FFF}, 0x1001), std::string(0x1000, 'x'));
  EXPECT_EQ(memory.read_string(Gpa{8}, 0x4000).size(), 0x3FFFU - 8);
}

TEST(MemoryLimitsTest, AFillHasAnyLength) {
  GuestMemory memory{4 * kMiB, CpuMode::kProtected32};
  for (const std::uint64_t count : {kMiB - 1, kMiB, kMiB + 1, 2 * kMiB}) {
    memory.fill(Gpa{0}, 4 * kMiB, 0);
    memory.fill(Gpa{0x1000}, count, 7);
    EXPECT_EQ(memory.read_bytes(Gpa{0x1000}, count), std::vector<std::uint8_t>(count, 7));
    EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0xFFF}), 0);
    EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0x1000 + count}), 0) << count;
  }
}

TEST(MemoryLimitsTest, AGuestHas16TimesTheHostsMemoryAtMost) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t most = 16 * static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page;
  EXPECT_THAT(message_of<MemoryError>([&] {
                GuestMemory{most + page, CpuMode::kLong64};
              }),
              HasSubstr("give the guest at most 16 times as much"));
  EXPECT_THAT(message_of<MemoryError>([&] {
                GuestMemory{most, CpuMode::kLong64};
              }),
              ::testing::Not(HasSubstr("16 times")));
}

TEST(TextScreenTest, EveryCharacterOfCodePage437) {
  const std::string_view rows[] = {
      " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼",  " !\"#$%&'()*+,-./0123456789:;<=>?",
      "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_", "`abcdefghijklmnopqrstuvwxyz{|}~⌂",
      "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ",  "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
      "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",  "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0",
  };
  GuestMemory memory{kMiB, CpuMode::kProtected32};
  for (unsigned code = 0; code < 256; ++code) {
    memory.write<std::uint8_t>(kTextScreen + (code / 32 * 160 + code % 32 * 2),
                               static_cast<std::uint8_t>(code));
  }
  const std::vector<std::string> screen = text_screen(memory);
  ASSERT_EQ(screen.size(), 25U);
  for (std::size_t row = 0; row < std::size(rows); ++row) EXPECT_EQ(screen[row], rows[row]);
}

TEST(TextScreenTest, HasTheLastCellOfTheLastRow) {
  GuestMemory memory{0xB'9000, CpuMode::kProtected32};
  memory.write<char>(kTextScreen + (25 * 160 - 2), 'x');
  memory.write<char>(kTextScreen + 25 * 160, 'y');
  const std::vector<std::string> screen = text_screen(memory);
  ASSERT_EQ(screen.size(), 25U);
  EXPECT_EQ(screen[24], std::string(79, ' ') + 'x');
  EXPECT_TRUE(text_screen(GuestMemory{0xB'8000, CpuMode::kProtected32}).empty()) << "no memory";
}

}  // namespace
