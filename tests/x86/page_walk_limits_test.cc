// What a walk, and the list of all that tables map, make of the last value that is allowed and of
// the first that is not; the names of entries, sizes and ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/mapped_ranges.h>

#include <cstring>
#include <map>

#include "table_reader.h"
#include "x86/paging/page_entry.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using enum PagingMode;
using ::testing::HasSubstr;

constexpr Gpa kTables{0x10000};

std::uint64_t reserved(PagingMode mode, unsigned level, std::uint64_t value, unsigned bits) {
  return PageEntry{.mode = mode, .level = level, .value = value}.reserved_bits(
      {.physical_bits = bits});
}

TEST(PageWalkLimitsTest, TheAddressBitsOfA4MiBPageEndAtMaxphyaddr) {
  EXPECT_EQ(reserved(k32Bit, 1, 0x81, 33), 0x3FC000U);
  EXPECT_EQ(reserved(k32Bit, 1, 0x81, 39), 0x300000U);
  EXPECT_EQ(reserved(k32Bit, 1, 0x81, 40), 0x200000U);
  EXPECT_EQ(reserved(k32Bit, 1, 0x81, 41), 0x200000U) << "bit 21 always is";
  EXPECT_EQ(reserved(k32Bit, 1, 0x81, 52), 0x200000U);
}

TEST(PageWalkLimitsTest, TheBitsAboveMaxphyaddrAreReserved) {
  EXPECT_EQ(reserved(k4Level, 0, 1, 51), 1ULL << 51U);
  EXPECT_EQ(reserved(k4Level, 0, 1, 52), 0U);
  EXPECT_EQ(reserved(k5Level, 0, 1, 51), 1ULL << 51U);
  EXPECT_EQ(reserved(kPae, 0, 1, 51), 0x7FF8'0000'0000'0000U);
  EXPECT_EQ(reserved(k4Level, 0, 1, 32), 0xF'FFFF'0000'0000U);
}

TEST(PageWalkLimitsTest, SaysWhatIsReserved) {
  const auto text = [](PagingMode mode, unsigned level, std::uint64_t bits) {
    return describe_reserved_bits({.mode = mode, .level = level, .value = bits | 1}, bits);
  };
  EXPECT_EQ(text(k4Level, 0, 1ULL << 32U), "0x100000000, of an address above MAXPHYADDR");
  EXPECT_EQ(text(k4Level, 0, 1ULL << 51U), "0x8000000000000, of an address above MAXPHYADDR");
  EXPECT_EQ(text(k32Bit, 1, 1ULL << 21U), "0x200000");
  EXPECT_EQ(text(k5Level, 4, 0x80), "bit 7 (PS), and a PML5E maps no page");
  EXPECT_EQ(text(k4Level, 0, 1ULL << 63U), "bit 63 (XD), while EFER.NXE is 0");
  EXPECT_EQ(text(kPae, 0, 1ULL << 62U), "0x4000000000000000");
  EXPECT_EQ(text(kPae, 2, 1ULL << 40U), "0x10000000000, of an address above MAXPHYADDR")
      << "a PDPTE of PAE paging has an address, too";
}

TEST(PageWalkLimitsTest, WithoutPagingAddressesHave32Bits) {
  const auto nothing = [](Gpa, unsigned) { return std::optional<std::uint64_t>{}; };
  const PageWalk last = walk_pages({}, Gva{0xFFFF'FFFF}, nothing);
  ASSERT_TRUE(last.translated());
  EXPECT_EQ(last.gpa, Gpa{0xFFFF'FFFF});
  EXPECT_EQ(last.page_size, 4 * kGiB);
  EXPECT_EQ(last.flags, kReadWrite | kUser);
  EXPECT_EQ(walk_pages({}, Gva{0x1'0000'0000}, nothing).end, WalkEnd::kNotAnAddress);
}

TEST(PageWalkLimitsTest, Cr3Has32BitsInPaePaging) {
  Registers registers;
  registers.cr0.value = Cr0::kPe | Cr0::kPg;
  registers.cr4.value = Cr4::kPae;
  registers.cr3.value = 0x1'FFFF'FFFF;
  EXPECT_EQ(paging_context(registers).first_table, Gpa{0xFFFF'FFE0});
}

TEST(PageWalkLimitsTest, AccessedAndDirtyAreTwoBits) {
  const auto text = [](std::uint64_t entry) {
    const PagingContext context{.mode = k32Bit, .first_table = Gpa{0}};
    return to_string(walk_pages(context, Gva{0}, [entry](Gpa, unsigned) { return entry; }));
  };
  EXPECT_THAT(text(0x81), HasSubstr("r-x, page of 4 MiB\n"));
  EXPECT_THAT(text(0xA1), HasSubstr("r-x, page of 4 MiB, accessed\n"));
  EXPECT_THAT(text(0xC1), HasSubstr("r-x, page of 4 MiB, dirty\n"));
}

TEST(PageWalkLimitsTest, SizesAreInTheLargestUnitThatDividesThem) {
  EXPECT_EQ(size_name(4 * kKiB), "4 KiB");
  EXPECT_EQ(size_name(1020 * kKiB), "1020 KiB");
  EXPECT_EQ(size_name(kMiB), "1 MiB");
  EXPECT_EQ(size_name(kMiB + 4 * kKiB), "1028 KiB");
  EXPECT_EQ(size_name(kGiB), "1 GiB");
  EXPECT_EQ(size_name(kGiB + kMiB), "1025 MiB");
}

TEST(PageWalkLimitsTest, EntriesAndEndsHaveNames) {
  const char* const entries[] = {"PTE", "PDE", "PDPTE", "PML4E", "PML5E"};
  for (unsigned level = 0; level < 5; ++level) EXPECT_EQ(entry_name(level), entries[level]);
  EXPECT_EQ(to_string(WalkEnd::kTranslated), "translated");
  EXPECT_EQ(to_string(WalkEnd::kNotPresent), "not present");
  EXPECT_EQ(to_string(WalkEnd::kReservedBit), "a reserved bit is set");
  EXPECT_EQ(to_string(WalkEnd::kOutsideMemory), "the table is not in memory");
  EXPECT_EQ(to_string(WalkEnd::kNotAnAddress), "not a linear address of this mode");
}

TEST(MappedRangesLimitsTest, OnlyWhatIsContiguousOnBothSidesAndAllowsTheSameIsOneRange) {
  const auto ranges = [](const PageMapping& second) {
    PageMap map;
    map.map({.gva = Gva{0x1000}, .gpa = Gpa{0x5000}});
    map.map(second);
    const auto tables = build_page_tables(map, kTables);
    const PagingContext context{.mode = k4Level, .first_table = kTables};
    return mapped_ranges(context, reader_of(tables, kTables)).ranges.size();
  };
  EXPECT_EQ(ranges({.gva = Gva{0x2000}, .gpa = Gpa{0x6000}}), 1U);
  EXPECT_EQ(ranges({.gva = Gva{0x3000}, .gpa = Gpa{0x6000}}), 2U);
  EXPECT_EQ(ranges({.gva = Gva{0x2000}, .gpa = Gpa{0x7000}}), 2U);
  EXPECT_EQ(ranges({.gva = Gva{0x2000}, .gpa = Gpa{0x6000}, .flags = kReadOnly}), 2U);
}

TEST(MappedRangesLimitsTest, AsManyEntriesAreReadAsItIsTold) {
  const std::vector<PageTable> tables(1);  // a PML4 that maps nothing
  const PagingContext context{.mode = k4Level, .first_table = kTables};
  EXPECT_FALSE(mapped_ranges(context, reader_of(tables, kTables), 512).truncated);
  EXPECT_TRUE(mapped_ranges(context, reader_of(tables, kTables), 511).truncated);
}

TEST(MappedRangesLimitsTest, SixtyFourBrokenEntriesAreKept) {
  const auto broken = [](std::size_t count) {
    std::vector<PageTable> tables(1);
    const std::uint64_t outside = 0x900003;
    for (std::size_t i = 0; i < count; ++i) std::memcpy(tables[0].data() + 8 * i, &outside, 8);
    return mapped_ranges({.mode = k4Level, .first_table = kTables}, reader_of(tables, kTables));
  };
  EXPECT_EQ(broken(64).broken.size(), 64U);
  EXPECT_FALSE(broken(64).truncated);
  EXPECT_EQ(broken(65).broken.size(), 64U);
  EXPECT_TRUE(broken(65).truncated);
}

}  // namespace
