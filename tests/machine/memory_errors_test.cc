// Errors of the guest's memory name the address and the range; what is no value doesn't compile.
#include <hltest/hltest.h>

#include "../message_of.h"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hltest;
using ::testing::Each;
using ::testing::HasSubstr;

template <typename T>
concept CanBeWritten = requires(GuestMemory& memory, const T& value) {
  memory.write<T>(Gpa{0}, value);
};
template <typename T>
concept CanBeRead = requires(const GuestMemory& memory) {
  memory.read<T>(Gpa{0});
};
template <typename T>
concept CanBeWrittenWithoutItsType = requires(GuestMemory& memory, const T& value) {
  memory.write(Gpa{0}, value);
};

struct Point {
  std::int16_t x, y;
};
struct WithName {
  std::string name;
};

static_assert(CanBeWritten<std::uint8_t> && CanBeWritten<std::int64_t> && CanBeWritten<bool>);
static_assert(CanBeWritten<Point> && CanBeWritten<std::array<std::uint16_t, 4>>);
static_assert(CanBeRead<Point> && CanBeRead<std::array<std::uint16_t, 4>>);
// The guest would get an address of the host's.
static_assert(!CanBeWritten<const char*> && !CanBeWritten<int*> && !CanBeWritten<void*>);
static_assert(!CanBeWritten<std::string_view> && !CanBeWritten<std::span<const std::uint8_t>>);
static_assert(!CanBeWritten<std::span<std::uint8_t, 4>> && !CanBeWritten<std::string>);
static_assert(!CanBeWritten<std::vector<std::uint8_t>> && !CanBeWritten<WithName>);
static_assert(!CanBeWritten<int Point::*>);
static_assert(!CanBeRead<std::string_view> && !CanBeRead<const char*> && !CanBeRead<std::string>);
// How many bytes an `int` literal would write is for the test to say.
static_assert(!CanBeWrittenWithoutItsType<int> && !CanBeWrittenWithoutItsType<Point>);

TEST(MemoryErrorsTest, AFillBeyondTheEnd) {
  GuestMemory memory{8 * kKiB, CpuMode::kProtected32};
  EXPECT_EQ(message_of<MemoryError>([&] { memory.fill(Gpa{0x1FF0}, 0x11, 0xAA); }),
            "fill of 17 bytes at 0x1ff0: 0x2000 is outside the guest's memory (RAM 0x0-0x1fff)");
  EXPECT_THAT(memory.read_bytes(Gpa{0x1FF0}, 0x10), Each(0)) << "nothing is changed";
  memory.fill(Gpa{0x1FF0}, 0x10, 0xAA);
  EXPECT_THAT(memory.read_bytes(Gpa{0x1FF0}, 0x10), Each(0xAA));
}

TEST(MemoryErrorsTest, AFillOfEverything) {
  GuestMemory memory{4 * kKiB, CpuMode::kProtected32};
  const std::string text = message_of<MemoryError>([&] { memory.fill(Gpa{0}, ~0ULL, 1); });
  EXPECT_THAT(text, HasSubstr("fill of 18446744073709551615 bytes at 0x0"));
  EXPECT_THAT(text, HasSubstr("RAM 0x0-0xfff"));
  EXPECT_THAT(message_of<MemoryError>([&] { memory.fill(Gpa{~0ULL}, 2, 1); }),
              HasSubstr("fill of 2 bytes at 0xffffffffffffffff"));
  EXPECT_THAT(memory.read_bytes(Gpa{0}, 4 * kKiB), Each(0));
}

// Longer than what is filled at a time, across the gap of the framework's region.
TEST(MemoryErrorsTest, AFillAcrossTheRom) {
  GuestMemory memory{4 * kMiB, CpuMode::kReal16};
  EXPECT_THAT(message_of<MemoryError>([&] { memory.fill(Gpa{0xE0000}, 2 * kMiB, 1); }),
              HasSubstr("0xf0000 to 0xf1fff belongs to the framework"));
  EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0xE0000}), 0);
  memory.fill(Gpa{0x100000}, 3 * kMiB, 0x77);
  EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0x3FFFFF}), 0x77);
  EXPECT_EQ(memory.read<std::uint8_t>(Gpa{0xFFFFF}), 0);
}

TEST(MemoryErrorsTest, AStringWithoutAnEnd) {
  GuestMemory memory{8 * kKiB, CpuMode::kProtected32};
  memory.fill(Gpa{0x1000}, 0x1000, 'x');
  EXPECT_EQ(message_of<MemoryError>([&] { (void)memory.read_string(Gpa{0x1800}); }),
            "the string at 0x1800 leaves the guest's memory (RAM 0x0-0x1fff) at 0x2000 without an "
            "end");
  EXPECT_EQ(message_of<MemoryError>([&] { (void)memory.read_string(Gpa{0x1000}, 0x1000); }),
            "the string at 0x1000 does not end within 4096 bytes");
  EXPECT_THAT(message_of<MemoryError>([&] { (void)memory.read_string(Gpa{0x8000}); }),
              HasSubstr("the string at 0x8000 leaves"));
  EXPECT_THAT(message_of<MemoryError>([&] { memory.write_string(Gpa{0x1FFE}, "ab"); }),
              HasSubstr("write of 3 bytes at 0x1ffe: 0x2000 is outside"));
  EXPECT_EQ(memory.read<char>(Gpa{0x1FFE}), 'x');
}

// Any byte but 0 is true: as an object, a bool of 2 would be neither.
TEST(MemoryErrorsTest, ABoolIsTrueUnlessItsByteIsZero) {
  GuestMemory memory{4 * kKiB, CpuMode::kProtected32};
  memory.write<std::uint8_t>(Gpa{1}, 2);
  memory.write<std::uint8_t>(Gpa{2}, 0x80);
  EXPECT_FALSE(memory.read<bool>(Gpa{0}));
  EXPECT_TRUE(memory.read<bool>(Gpa{1}));
  EXPECT_TRUE(memory.read<bool>(Gpa{2}));
  EXPECT_EQ(memory.read<bool>(Gpa{1}), true);
  EXPECT_THAT(message_of<MemoryError>([&] { (void)memory.read<bool>(Gpa{0x1000}); }),
              HasSubstr("read of 1 byte at 0x1000"));
}

TEST(MemoryErrorsTest, AMovedFromMemory) {
  GuestMemory first{4 * kKiB, CpuMode::kProtected32};
  const GuestMemory second{std::move(first)};
  EXPECT_EQ(message_of<MemoryError>([&] {
              (void)first.read<char>(Gpa{0});  // NOLINT(bugprone-use-after-move): the point
            }),
            "this memory was moved away: use the one that it was moved to");
}

// A matcher does not throw for what it can't read.
TEST(MemoryErrorsTest, HasBytesOutsideMemoryIsAMismatch) {
  const GuestMemory memory{4 * kKiB, CpuMode::kProtected32};
  EXPECT_THAT(memory, ::testing::Not(HasBytes(Gpa{0xFFF}, {0, 0})));
  EXPECT_THAT(memory, ::testing::Not(HasBytes(Gpa{~0ULL}, {0, 0})));
  EXPECT_THAT(memory, ::testing::Not(HasText(Gpa{0x2000}, "a")));
  EXPECT_THAT(memory, HasBytes(Gpa{0xFFE}, {0, 0}));
}

}  // namespace
