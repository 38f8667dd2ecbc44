// The guest's memory from the test's side; none of this needs KVM.
#include <hltest/hltest.h>

#include <array>
#include <string>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GuestMemoryTest, ReadsWhatWasWritten) {
  GuestMemory memory{64 * kKiB, CpuMode::kProtected32};
  memory.write<std::uint32_t>(Gpa{0x100}, 0x11223344);
  EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0x100}), 0x44);
  EXPECT_EQ(memory.read<std::uint16_t>(Gpa{0x102}), 0x1122);

  struct Point {
    std::int16_t x, y;
  };
  memory.write<Point>(Gpa{0x200}, {-1, 2});
  EXPECT_EQ(memory.read<Point>(Gpa{0x200}).x, -1);

  memory.write_bytes(Gpa{0x300}, std::array<std::uint8_t, 3>{1, 2, 3});
  memory.fill(Gpa{0x301}, 1, 0xEE);
  EXPECT_THAT(memory.read_bytes(Gpa{0x2FF}, 5), ElementsAre(0, 1, 0xEE, 3, 0));
}

TEST(GuestMemoryTest, Strings) {
  GuestMemory memory{4 * kKiB, CpuMode::kProtected32};
  memory.write_string(Gpa{0x10}, "hello");
  EXPECT_EQ(memory.read_string(Gpa{0x10}), "hello");
  memory.fill(Gpa{0}, 4 * kKiB, 'x');
  EXPECT_EQ(message_of<MemoryError>([&] { (void)memory.read_string(Gpa{0}, 8); }),
            "the string at 0x0 does not end within 8 bytes");
}

TEST(GuestMemoryTest, ChecksBoundsAndChangesNothing) {
  GuestMemory memory{4 * kKiB, CpuMode::kProtected32};
  EXPECT_EQ(message_of<MemoryError>([&] { memory.write<std::uint32_t>(Gpa{0xFFE}, ~0U); }),
            "write of 4 bytes at 0xffe: 0x1000 is outside the guest's memory (RAM 0x0-0xfff)");
  EXPECT_EQ(memory.read<std::uint16_t>(Gpa{0xFFE}), 0);
  EXPECT_EQ(message_of<MemoryError>([&] { (void)memory.read<char>(Gpa{~0ULL}); }),
            "read of 1 byte at 0xffffffffffffffff: 0xffffffffffffffff is outside the guest's "
            "memory (RAM 0x0-0xfff)");
  EXPECT_THAT(message_of<MemoryError>([&] { (void)memory.read_bytes(Gpa{0x10}, ~0ULL); }),
              HasSubstr("outside the guest's memory"));
}

TEST(GuestMemoryTest, RamGoesRoundTheRomAndTheSystemRegion) {
  const GuestMemory real{2 * kMiB, CpuMode::kReal16};
  EXPECT_EQ(real.describe_ram(), "RAM 0x0-0xeffff and 0x100000-0x1fffff");
  EXPECT_FALSE(real.is_ram(Gpa{0xF0000}, 1));
  EXPECT_TRUE(real.is_ram(Gpa{0xEFFFF}, 1));
  EXPECT_FALSE(real.is_ram(Gpa{0xEFFFF}, 2));

  GuestMemory large{5 * kGiB, CpuMode::kLong64};
  EXPECT_EQ(large.describe_ram(), "RAM 0x0-0xefffffff and 0x100000000-0x14fffffff");
  large.write<std::uint64_t>(Gpa{0x14FFFFFF8}, 42);
  EXPECT_EQ(large.read<std::uint64_t>(Gpa{0x14FFFFFF8}), 42U);
  EXPECT_THAT(message_of<MemoryError>([&] { (void)large.read<char>(Gpa{0xF0000000}); }),
              HasSubstr("0xf0000000 is outside"));
}

TEST_F(ProtectedModeTest, SystemRegionCanBeReadAndNotWritten) {
  machine().set_memory_size(4 * kKiB);
  EXPECT_THAT(run(ProtectedModeImage{"halt", {0xF4}, Gpa{0}}), Halted());
  EXPECT_EQ(memory().read<std::uint8_t>(kSystemRegion + 5), 0xF4);
  EXPECT_EQ(message_of<MemoryError>([&] { memory().write<char>(kSystemRegion, 0); }),
            "write of 1 byte at 0xf0000000: 0xf0000000 to 0xffffffff belongs to the framework "
            "(RAM 0x0-0xfff)");
}

TEST(GuestMemoryTest, ResizingKeepsWhatFits) {
  Machine machine{CpuMode::kProtected32};
  GuestMemory& memory = machine.memory();
  machine.set_memory_size(8 * kKiB);
  memory.write<std::uint32_t>(Gpa{0x10}, 1);
  memory.write<std::uint32_t>(Gpa{0x1010}, 2);
  machine.set_memory_size(4 * kKiB);
  EXPECT_EQ(memory.read<std::uint32_t>(Gpa{0x10}), 1U);
  machine.set_memory_size(1 * kGiB);
  EXPECT_EQ(memory.read<std::uint32_t>(Gpa{0x10}), 1U);
  EXPECT_EQ(memory.read<std::uint32_t>(Gpa{0x1010}), 0U);
}

TEST(GuestMemoryTest, SizesThatCannotBe) {
  const auto size = [](std::uint64_t bytes) {
    return message_of<MemoryError>([bytes] { GuestMemory{bytes, CpuMode::kReal16}; });
  };
  EXPECT_EQ(size(0),
            "a memory size of 0x0 bytes can't be: it has to be a multiple of 4 KiB and not 0");
  EXPECT_EQ(size(4097),
            "a memory size of 0x1001 bytes can't be: it has to be a multiple of 4 KiB and not 0");
  EXPECT_THAT(size(1ULL << 60U), HasSubstr("is beyond this host"));
}

TEST_F(LongModeTest, SeveralGibibytesArePartOfTheGuest) {
  machine().set_memory_size(5 * kGiB);
  memory().write<std::uint64_t>(Gpa{0x14FFFFFF8}, 0xABCD);
  // mov rax, [rbx]; mov [rcx], rax; hlt
  const Outcome outcome = run(LongModeImage{"copy", {0x48, 0x8B, 0x03, 0x48, 0x89, 0x01, 0xF4}},
                              {.rbx = 0x14FFFFFF8, .rcx = 0xEFFFFFE0});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(memory().read<std::uint64_t>(Gpa{0xEFFFFFE0}), 0xABCDU);
  EXPECT_EQ(outcome.registers.rsp, 0xEFFFFFF0U);
}

// The last of ASCII and its neighbours, the first and the last of code page 437.
TEST_F(RealModeTest, TheTextScreenIsInCodePage437) {
  const std::array<std::uint8_t, 8> codes = {0x01, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0xFE, 0xFF};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    memory().write<std::uint8_t>(kTextScreen + 2 * i, codes.at(i));
  }
  const std::vector<std::string> screen = text_screen(memory());
  ASSERT_EQ(screen.size(), 25U);
  EXPECT_EQ(screen[0], "☺▼ ~⌂Ç■\u00A0") << "a no-break space is not cut";
}

TEST_F(ProtectedModeTest, FourKibibytesAreEnough) {
  machine().set_memory_size(4 * kKiB);
  EXPECT_THAT(run(ProtectedModeImage{"halt", {0xF4}, Gpa{0}}), Halted());
}

}  // namespace
