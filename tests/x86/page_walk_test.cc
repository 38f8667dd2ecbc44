// The walker over tables that the builder made, over hand-made ones with each thing that can be
// wrong, and over random bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/page_walk.h>

#include <cstring>
#include <map>
#include <random>

#include "table_reader.h"

namespace {

using namespace hltest;

constexpr Gpa kTables{0x10000};

/// Memory with a few entries in it, zero elsewhere below 1 MiB.
PhysicalReader entries_at(std::map<std::uint64_t, std::uint64_t> entries) {
  return [entries = std::move(entries)](Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
    if (gpa.value() + size > kMiB) return std::nullopt;
    const auto entry = entries.find(gpa.value());
    return entry == entries.end() ? 0 : entry->second;
  };
}

class WalkInEveryMode : public ::testing::TestWithParam<PagingMode> {};

TEST_P(WalkInEveryMode, FindsWhatTheBuilderMapped) {
  const std::uint64_t large = paging_format(GetParam()).covered(1);
  PageMap map{GetParam()};
  map.map({.gva = Gva{0x1000}, .gpa = Gpa{0x5000}, .flags = kReadOnly | kUser});
  map.map({.gva = Gva{8 * kMiB}, .gpa = Gpa{16 * kMiB}, .size = large, .flags = kReadWrite});
  const auto tables = build_page_tables(map, kTables);
  const PagingContext context{.mode = GetParam(), .first_table = kTables};

  const PageWalk small = walk_pages(context, Gva{0x1ABC}, reader_of(tables, kTables));
  ASSERT_TRUE(small.translated()) << to_string(small);
  EXPECT_EQ(small.gpa, Gpa{0x5ABC});
  EXPECT_EQ(small.page_size, 4 * kKiB);
  EXPECT_EQ(small.flags, kReadOnly | kUser);
  EXPECT_EQ(small.steps.size(), paging_format(GetParam()).levels);
  EXPECT_FALSE(small.accessed || small.dirty);

  const PageWalk page = walk_pages(context, Gva{8 * kMiB + 0x12345}, reader_of(tables, kTables));
  ASSERT_TRUE(page.translated());
  EXPECT_EQ(page.gpa, Gpa{16 * kMiB + 0x12345});
  EXPECT_EQ(page.page_size, large);
  EXPECT_EQ(page.flags, kReadWrite);

  const PageWalk missing = walk_pages(context, Gva{0x2000}, reader_of(tables, kTables));
  EXPECT_EQ(missing.end, WalkEnd::kNotPresent);
  EXPECT_EQ(missing.steps.back().level, 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, WalkInEveryMode,
                         ::testing::Values(PagingMode::k32Bit, PagingMode::kPae,
                                           PagingMode::k4Level, PagingMode::k5Level));

TEST(PageWalkTest, WithoutPagingAddressesArePhysical) {
  const PageWalk walk = walk_pages({}, Gva{0x12345678}, entries_at({}));
  EXPECT_TRUE(walk.translated());
  EXPECT_EQ(walk.gpa, Gpa{0x12345678});
}

TEST(PageWalkTest, AllLevelsTogetherAllow) {
  const PagingContext context{.mode = PagingMode::k4Level, .first_table = Gpa{0x1000}};
  // PML4E without user, PDPTE without write, PDE no-execute, PTE with everything and A, D, G, PCD.
  const PageWalk walk = walk_pages(
      context, Gva{0},
      entries_at(
          {{0x1000, 0x2003}, {0x2000, 0x3005}, {0x3000, 0x8000000000004007}, {0x4000, 0x5177}}));
  ASSERT_TRUE(walk.translated()) << to_string(walk);
  EXPECT_EQ(walk.flags, kReadOnly | kNoExecute | kGlobal | kCacheDisable);
  EXPECT_TRUE(walk.accessed);
  EXPECT_TRUE(walk.dirty);
  EXPECT_EQ(to_string(walk.flags), "r--g PCD");
}

WalkEnd end_of(const PagingContext& context, Gva gva,
               const std::map<std::uint64_t, std::uint64_t>& entries) {
  return walk_pages(context, gva, entries_at(entries)).end;
}

TEST(PageWalkTest, EndsWhereSomethingIsWrong) {
  PagingContext context{.mode = PagingMode::k4Level, .first_table = Gpa{0x1000}};
  EXPECT_EQ(end_of(context, Gva{1ULL << 47U}, {}), WalkEnd::kNotAnAddress);
  EXPECT_EQ(end_of(context, Gva{0}, {}), WalkEnd::kNotPresent);
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 0x100003}}), WalkEnd::kOutsideMemory);
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 0x2083}}), WalkEnd::kReservedBit) << "PS in a PML4E";
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 0x2003}, {0x2000, 0x3003}, {0x3000, 0x202083}}),
            WalkEnd::kReservedBit)
      << "a misaligned 2 MiB page";
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 0x2003}, {0x2000, 0x40083}}), WalkEnd::kReservedBit)
      << "a misaligned 1 GiB page";
  context.no_execute = false;
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 0x8000000000002003}}), WalkEnd::kReservedBit)
      << "XD without EFER.NXE";
  context.physical_bits = 40;
  EXPECT_EQ(end_of(context, Gva{0}, {{0x1000, 1ULL << 41U | 3}}), WalkEnd::kReservedBit);
  context.first_table = Gpa{kMiB};
  EXPECT_EQ(end_of(context, Gva{0}, {}), WalkEnd::kOutsideMemory);

  const PagingContext pae{.mode = PagingMode::kPae, .first_table = Gpa{0x1020}};
  EXPECT_EQ(end_of(pae, Gva{0xFFFFFFFF}, {{0x1038, 0x2003}}), WalkEnd::kReservedBit)
      << "R/W in a PDPTE";
  EXPECT_EQ(end_of(pae, Gva{1ULL << 32U}, {}), WalkEnd::kNotAnAddress);

  PagingContext legacy{.mode = PagingMode::k32Bit, .first_table = Gpa{0x1000}};
  EXPECT_EQ(end_of(legacy, Gva{0}, {{0x1000, 0x200083}}), WalkEnd::kReservedBit) << "bit 21";
  legacy.large_pages = false;
  EXPECT_EQ(end_of(legacy, Gva{0}, {{0x1000, 0x2083}, {0x2000, 0x3001}}), WalkEnd::kTranslated)
      << "without CR4.PSE there are no large pages";
}

TEST(PageWalkTest, PrintsWhatItLookedAt) {
  const PagingContext context{.mode = PagingMode::k4Level, .first_table = Gpa{0x1000}};
  EXPECT_EQ(
      to_string(walk_pages(context, Gva{0x200123},
                           entries_at({{0x1000, 0x2003}, {0x2000, 0x3003}, {0x3008, 0x4000E3}}))),
      "4-level paging of 0x200123\n"
      "  PML4E at 0x1000: 0x2003 (U/S = 0)\n"
      "  PDPTE at 0x2000: 0x3003\n"
      "  PDE   at 0x3008: 0x4000e3\n"
      "  -> 0x400123 rwx, page of 2 MiB, accessed, dirty\n");
  EXPECT_EQ(to_string(walk_pages(context, Gva{0}, entries_at({}))),
            "4-level paging of 0x0\n  PML4E at 0x1000: 0x0\n  not present\n");
}

TEST(PageWalkTest, PrintsWhereARightEnds) {
  const PagingContext context{.mode = PagingMode::k4Level, .first_table = Gpa{0x1000}};
  EXPECT_EQ(to_string(walk_pages(context, Gva{0},
                                 entries_at({{0x1000, 0x2007},
                                             {0x2000, 0x3005},
                                             {0x3000, 0x8000000000004001},
                                             {0x4000, 0x5000}}))),
            "4-level paging of 0x0\n"
            "  PML4E at 0x1000: 0x2007\n"
            "  PDPTE at 0x2000: 0x3005 (R/W = 0)\n"
            "  PDE   at 0x3000: 0x8000000000004001 (U/S = 0, XD = 1)\n"
            "  PTE   at 0x4000: 0x5000\n"
            "  not present\n");
  const PagingContext pae{.mode = PagingMode::kPae, .first_table = Gpa{0x1000}};
  EXPECT_EQ(to_string(walk_pages(pae, Gva{0}, entries_at({{0x1000, 0x2001}, {0x2000, 0x400085}}))),
            "PAE paging of 0x0\n"
            "  PDPTE at 0x1000: 0x2001\n"
            "  PDE   at 0x2000: 0x400085 (R/W = 0)\n"
            "  -> 0x400000 r-xu, page of 2 MiB\n")
      << "a PDPTE of PAE paging has no R/W and U/S";
}

TEST(PageWalkTest, PrintsWhichBitIsReserved) {
  const auto last_line = [](const PagingContext& context,
                            const std::map<std::uint64_t, std::uint64_t>& entries) {
    const std::string text = to_string(walk_pages(context, Gva{0}, entries_at(entries)));
    return text.substr(text.rfind("\n  ") + 3);
  };
  PagingContext context{.mode = PagingMode::k4Level,
                        .first_table = Gpa{0x1000},
                        .gigabyte_pages = false,
                        .no_execute = false,
                        .physical_bits = 40};
  EXPECT_EQ(last_line(context, {{0x1000, 0x8000000000002003}}),
            "a reserved bit is set: bit 63 (XD), while EFER.NXE is 0\n");
  EXPECT_EQ(last_line(context, {{0x1000, 0x2003}, {0x2000, 0x83}}),
            "a reserved bit is set: bit 7 (PS), and CPUID shows no 1 GiB pages\n");
  EXPECT_EQ(last_line(context, {{0x1000, 0x2083}}),
            "a reserved bit is set: bit 7 (PS), and a PML4E maps no page\n");
  EXPECT_EQ(last_line(context, {{0x1000, 0x10000002003}}),
            "a reserved bit is set: 0x10000000000, of an address above MAXPHYADDR\n");
  EXPECT_EQ(last_line(context, {{0x1000, 0x2003}, {0x2000, 0x3003}, {0x3000, 0x2083}}),
            "a reserved bit is set: 0x2000\n");
  context.mode = PagingMode::kPae;
  EXPECT_EQ(last_line(context, {{0x1000, 0x2083}}),
            "a reserved bit is set: 0x82: a PDPTE of PAE paging has neither R/W, U/S, PS nor XD\n");
}

TEST(PageWalkTest, ContextFollowsFromRegisters) {
  Registers registers;
  registers.cr0.value = Cr0::kPe | Cr0::kPg;
  registers.cr3.value = 0x1038;
  registers.cr4.value = Cr4::kPae;
  EXPECT_EQ(paging_context(registers).first_table, Gpa{0x1020}) << "32 bytes aligned in PAE paging";
  EXPECT_FALSE(paging_context(registers).no_execute);
  EXPECT_FALSE(paging_context(registers).large_pages);
  registers.cr4.value |= Cr4::kPse;
  EXPECT_TRUE(paging_context(registers).large_pages);
  registers.efer.value = Efer::kLma | Efer::kNxe;
  EXPECT_EQ(paging_context(registers).first_table, Gpa{0x1000});
  EXPECT_TRUE(paging_context(registers).no_execute);
}

// A table that points to itself is as deep as any other, and random bytes end somewhere.
TEST(PageWalkTest, SurvivesHostileTables) {
  const PagingContext looped{.mode = PagingMode::k5Level, .first_table = Gpa{0x1000}};
  const PageWalk walk = walk_pages(
      looped, Gva{0}, entries_at(std::map<std::uint64_t, std::uint64_t>{{0x1000, 0x1003}}));
  EXPECT_TRUE(walk.translated());
  EXPECT_EQ(walk.steps.size(), 5U);

  std::mt19937_64 random{7};
  for (int i = 0; i < 20000; ++i) {
    const auto mode = static_cast<PagingMode>(i % 5);
    const PagingContext context{.mode = mode, .first_table = Gpa{random() & 0xFF000}};
    const PageWalk result = walk_pages(
        context, Gva{random() >> (random() % 64)},
        [&](Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
          if (gpa.value() > kMiB) return std::nullopt;
          return (random() & random() & (size == 4 ? 0xFFFFFULL : 0xF0000000000FFFFFULL)) | 1;
        });
    EXPECT_LE(result.steps.size(), paging_format(mode).levels);
    EXPECT_FALSE(to_string(result).empty());
  }
}

}  // namespace
