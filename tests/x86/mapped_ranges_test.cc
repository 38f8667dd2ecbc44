// The whole of what page tables map, merged: of tables that the builder made, and of hostile ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/mapped_ranges.h>

#include <cstring>

#include "table_reader.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;

constexpr Gpa kTables{0x10000};

class RangesInEveryMode : public ::testing::TestWithParam<PagingMode> {};

TEST_P(RangesInEveryMode, AreMergedOverPagesAndSizes) {
  PageMap map{GetParam()};
  map.map({.gva = Gva{0x3FF000}, .gpa = Gpa{0x7FF000}, .size = 8 * kMiB, .flags = kReadWrite});
  map.map({.gva = Gva{0xC00000}, .gpa = Gpa{0}, .size = 0x3000, .flags = kUser});
  map.map({.gva = Gva{0xC03000}, .gpa = Gpa{0x3000}, .flags = kReadOnly});
  const auto tables = build_page_tables(map, kTables);

  const MappedRanges ranges =
      mapped_ranges({.mode = GetParam(), .first_table = kTables}, reader_of(tables, kTables));

  EXPECT_THAT(ranges.ranges,
              ElementsAre(MappedRange{Gva{0x3FF000}, Gpa{0x7FF000}, 8 * kMiB, kReadWrite},
                          MappedRange{Gva{0xC00000}, Gpa{0}, 0x3000, kUser},
                          MappedRange{Gva{0xC03000}, Gpa{0x3000}, 0x1000, kReadOnly}));
  EXPECT_TRUE(ranges.broken.empty());
  EXPECT_FALSE(ranges.truncated);
}

INSTANTIATE_TEST_SUITE_P(Modes, RangesInEveryMode,
                         ::testing::Values(PagingMode::k32Bit, PagingMode::kPae,
                                           PagingMode::k4Level, PagingMode::k5Level));

TEST(MappedRangesTest, HigherHalfAddressesAreCanonical) {
  PageMap map;
  map.map({.gva = Gva{0xFFFFFFFF80000000}, .gpa = Gpa{0x200000}, .size = 2 * kMiB});
  const auto tables = build_page_tables(map, kTables);
  const MappedRanges ranges = mapped_ranges({.mode = PagingMode::k4Level, .first_table = kTables},
                                            reader_of(tables, kTables));
  EXPECT_EQ(to_string(ranges), "0xffffffff80000000-0xffffffff801fffff -> 0x200000 rwx\n");
}

TEST(MappedRangesTest, WithoutPagingAllIsMapped) {
  EXPECT_EQ(to_string(mapped_ranges({}, [](Gpa, unsigned) { return std::nullopt; })),
            "0x0000000000000000-0x00000000ffffffff -> 0x0 rwxu\n");
}

TEST(MappedRangesTest, BrokenEntriesAreNamed) {
  std::vector<PageTable> tables(1);
  const std::uint64_t outside = 0x900003;
  const std::uint64_t reserved = 0x11083;
  std::memcpy(tables[0].data(), &outside, 8);
  std::memcpy(tables[0].data() + 8, &reserved, 8);
  const MappedRanges ranges = mapped_ranges({.mode = PagingMode::k4Level, .first_table = kTables},
                                            reader_of(tables, kTables));
  EXPECT_EQ(to_string(ranges),
            "0x0000000000000000: the table is not in memory (PML4E at 0x10000: 0x900003)\n"
            "0x0000008000000000: a reserved bit is set (PML4E at 0x10008: 0x11083)\n");
}

// A recursive slot is a table used at several levels; one that is all recursion maps 2^36 pages,
// and reading it ends.
TEST(MappedRangesTest, TablesThatPointToThemselvesEnd) {
  std::vector<PageTable> tables(1);
  const std::uint64_t self = kTables.value() | 3;
  std::memcpy(tables[0].data() + 8 * 510, &self, 8);
  const PagingContext context{.mode = PagingMode::k4Level, .first_table = kTables};
  EXPECT_EQ(to_string(mapped_ranges(context, reader_of(tables, kTables))),
            "0xffffff7fbfdfe000-0xffffff7fbfdfefff -> 0x10000 rwx\n");

  for (std::size_t i = 0; i < 512; ++i) std::memcpy(tables[0].data() + 8 * i, &self, 8);
  const MappedRanges endless = mapped_ranges(context, reader_of(tables, kTables), 10000);
  EXPECT_TRUE(endless.truncated);
  EXPECT_THAT(to_string(endless), ::testing::HasSubstr("not all entries were read"));
}

}  // namespace
