// Page tables against a walk that knows nothing of the builder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/paging.h>

#include <optional>
#include <random>
#include <string>

#include "independent_walk.h"

namespace {

using namespace hltest;
using namespace independent;
using ::testing::HasSubstr;

TEST(PagingTest, MapsWhatItIsToldAndNothingElse) {
  PageMap map;
  map.map({.gva = Gva{0x400000},
           .gpa = Gpa{0x200000},
           .size = 2 * kMiB,
           .flags = kReadWrite | kUser,
           .page_size = PageSize::k2MiB});
  map.map({.gva = Gva{0xFFFF'FFFF'8000'0000}, .gpa = Gpa{0x5000}, .flags = kNoExecute});
  const auto tables = build_page_tables(map, kTables);

  EXPECT_EQ(walk(tables, 0x3FFFFF), std::nullopt);
  EXPECT_EQ(walk(tables, 0x400000), (Translation{0x200000, true, true, true}));
  EXPECT_EQ(walk(tables, 0x5FFFFF), (Translation{0x3FFFFF, true, true, true}));
  EXPECT_EQ(walk(tables, 0x600000), std::nullopt);
  EXPECT_EQ(walk(tables, 0xFFFF'FFFF'8000'0123), (Translation{0x5123, false, false, false}));
  EXPECT_EQ(walk(tables, 0xFFFF'FFFF'8000'1000), std::nullopt);
  EXPECT_EQ(tables.size(), 6U) << "PML4, and for each range PDPT, PD, for the small page a PT";
}

TEST(PagingTest, APageIsAllowedWhatItSaysThoughItsNeighbourIsAllowedLess) {
  PageMap map;
  map.map({.gva = Gva{0x1000}, .gpa = Gpa{0x1000}, .flags = kReadOnly});
  map.map({.gva = Gva{0x2000}, .gpa = Gpa{0x2000}, .flags = kReadWrite | kUser});
  map.map({.gva = Gva{0x3000}, .gpa = Gpa{0x3000}, .flags = kReadOnly | kNoExecute});
  const auto tables = build_page_tables(map, kTables);
  EXPECT_EQ(walk(tables, 0x1000), (Translation{0x1000, false, false, true}));
  EXPECT_EQ(walk(tables, 0x2000), (Translation{0x2000, true, true, true}));
  EXPECT_EQ(walk(tables, 0x3000), (Translation{0x3000, false, false, false}));
}

TEST(PagingTest, TheLargestPagesThatFitAreUsed) {
  PageMap map;
  // 4 KiB below a 2 MiB boundary, one large page, 4 KiB above it.
  map.map({.gva = Gva{0x1FF000}, .gpa = Gpa{0x9FF000}, .size = 2 * kMiB + 8 * kKiB});
  EXPECT_EQ(build_page_tables(map, kTables).size(), 5U) << "PML4, PDPT, PD and two PTs";
  // The physical side is not aligned: small pages only.
  PageMap skewed;
  skewed.map({.gva = Gva{0x200000}, .gpa = Gpa{0x1000}, .size = 4 * kMiB});
  EXPECT_EQ(build_page_tables(skewed, kTables).size(), 5U);
  PageMap of_1_gib;
  of_1_gib.map({.gva = Gva{kGiB}, .gpa = Gpa{kGiB}, .size = kGiB, .page_size = PageSize::k1GiB});
  const auto tables = build_page_tables(of_1_gib, kTables);
  EXPECT_EQ(tables.size(), 2U);
  EXPECT_EQ(walk(tables, kGiB + 0x12345), (Translation{kGiB + 0x12345, true, false, true}));
}

TEST(PagingTest, CachingAndGlobalBitsAreCarried) {
  PageMap map;
  const PageFlags flags = kWriteThrough | kCacheDisable | kPat | kGlobal;
  map.map({.gva = Gva{0}, .gpa = Gpa{0}, .flags = flags, .page_size = PageSize::k4KiB});
  map.map({.gva = Gva{0x200000},
           .gpa = Gpa{0},
           .size = 2 * kMiB,
           .flags = flags,
           .page_size = PageSize::k2MiB});
  const auto tables = build_page_tables(map, kTables);
  ASSERT_EQ(tables.size(), 4U);
  EXPECT_EQ(read(tables, kTables.value() + 0x3000, 8), 0x199U) << "PAT is bit 7 of a 4 KiB page";
  EXPECT_EQ(read(tables, kTables.value() + 0x2008, 8), 0x1199U)
      << "and bit 12 of a large one, whose bit 7 is PS";
}

TEST(PagingTest, UnmappingSplitsWhatItLiesWithin) {
  PageMap map;
  map.map({.gva = Gva{0}, .gpa = Gpa{0x400000}, .size = 4 * kMiB, .page_size = PageSize::k2MiB});
  map.unmap(Gva{0x1000}, 0x1000);
  const auto tables = build_page_tables(map, kTables);
  EXPECT_EQ(walk(tables, 0xFFF), (Translation{0x400FFF, true, false, true}));
  EXPECT_EQ(walk(tables, 0x1000), std::nullopt);
  EXPECT_EQ(walk(tables, 0x2000), (Translation{0x402000, true, false, true}));
  EXPECT_EQ(walk(tables, 0x3FFFFF), (Translation{0x7FFFFF, true, false, true}));
  EXPECT_THROW(map.unmap(Gva{0x10}, 0x1000), PagingError);
  EXPECT_THROW(map.unmap(Gva{0x1000}, 0), PagingError);
}

TEST(PagingTest, RemappingReplacesAndAFailedOneChangesNothing) {
  PageMap map;
  map.map({.gva = Gva{0}, .gpa = Gpa{0}, .size = 4 * kMiB});
  map.remap({.gva = Gva{0x200000}, .gpa = Gpa{0x9000}, .flags = kUser});
  const auto tables = build_page_tables(map, kTables);
  EXPECT_EQ(walk(tables, 0x1FFFFF), (Translation{0x1FFFFF, true, false, true}));
  EXPECT_EQ(walk(tables, 0x200000), (Translation{0x9000, false, true, true}));
  EXPECT_EQ(walk(tables, 0x201000), (Translation{0x201000, true, false, true}));
  const auto before = map.mappings().size();
  EXPECT_THROW(map.remap({.gva = Gva{0x1001}, .gpa = Gpa{0}}), PagingError);
  EXPECT_EQ(map.mappings().size(), before);
}

class RandomMaps : public ::testing::TestWithParam<PagingMode> {};

// Random maps, each boundary of each mapping checked.
TEST_P(RandomMaps, WalkBack) {
  const PagingMode mode = GetParam();
  const PagingFormat format = paging_format(mode);
  const std::uint64_t large_page = format.covered(1);
  const PageFlags no_execute = mode == PagingMode::k32Bit ? kReadOnly : kNoExecute;
  std::mt19937_64 random{20261120};
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  const auto flag = [&](PageFlags flags) { return pick(2) == 0 ? flags : kReadOnly; };
  for (int round = 0; round < 100; ++round) {
    PageMap map{mode};
    std::vector<PageMapping> mapped;
    for (int i = 0; i < 20; ++i) {
      const bool large = pick(3) == 0;
      const std::uint64_t page = large ? large_page : 4 * kKiB;
      const bool wide = format.linear_bits > 32;
      const std::uint64_t half = wide && pick(2) == 0 ? ~0ULL << (format.linear_bits - 1) : 0;
      const std::uint64_t room = wide ? 1ULL << 40U : 1ULL << 32U;
      const PageMapping mapping{
          .gva = Gva{half + pick(room / page) * page},
          .gpa = Gpa{pick((1ULL << 32U) / page) * page},
          .size = (1 + pick(600)) * page,
          .flags = flag(kReadWrite) | flag(kUser) | flag(no_execute),
          .page_size =
              large ? PageSize{large_page} : (pick(2) == 0 ? PageSize::kLargest : PageSize::k4KiB)};
      try {
        map.map(mapping);
        mapped.push_back(mapping);
      } catch (const PagingError& error) {
        ASSERT_THAT(error.what(), ::testing::AnyOf(HasSubstr("overlaps"), HasSubstr("leaves"),
                                                   HasSubstr("beyond the 32 bits")));
      }
    }
    ASSERT_FALSE(mapped.empty());
    const auto tables = build_page_tables(map, kTables);
    const auto owner = [&](std::uint64_t gva) -> const PageMapping* {
      for (const PageMapping& mapping : mapped) {
        if (gva >= mapping.gva.value() && gva - mapping.gva.value() < mapping.size) return &mapping;
      }
      return nullptr;
    };
    for (const PageMapping& mapping : mapped) {
      const std::uint64_t first = mapping.gva.value();
      for (const std::uint64_t gva : {first - 1, first, first + pick(mapping.size),
                                      first + mapping.size - 1, first + mapping.size}) {
        if (!is_valid_linear_address(mode, Gva{gva})) continue;
        const PageMapping* const expected = owner(gva);
        const auto translation = walk(mode, tables, gva);
        ASSERT_EQ(translation.has_value(), expected != nullptr) << std::hex << gva;
        if (expected == nullptr) continue;
        const auto flags = static_cast<std::uint64_t>(expected->flags);
        ASSERT_EQ(*translation,
                  (Translation{expected->gpa.value() + (gva - expected->gva.value()),
                               (flags & 2) != 0, (flags & 4) != 0, (flags >> 63) == 0}));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryPagingMode, RandomMaps,
                         ::testing::Values(PagingMode::k32Bit, PagingMode::kPae,
                                           PagingMode::k4Level, PagingMode::k5Level));

std::string error_of(const PageMapping& mapping, PageMap map = {}) {
  try {
    map.map(mapping);
  } catch (const PagingError& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(PagingTest, MappingsThatCannotBe) {
  EXPECT_EQ(error_of({.gva = Gva{0x1000}, .gpa = Gpa{0}, .size = 0}),
            "the mapping of 0x1000 is empty");
  EXPECT_EQ(error_of({.gva = Gva{0x1001}, .gpa = Gpa{0}}),
            "the mapping 0x1001-0x2000 -> 0x0 of 0x1000 bytes is misaligned: both "
            "addresses and the size have to be multiples of its page size, 0x1000");
  EXPECT_THAT(error_of({.gva = Gva{0x200000},
                        .gpa = Gpa{0x1000},
                        .size = 2 * kMiB,
                        .page_size = PageSize::k2MiB}),
              HasSubstr("is misaligned"));
  EXPECT_THAT(
      error_of(
          {.gva = Gva{0x200000}, .gpa = Gpa{0}, .size = 4 * kKiB, .page_size = PageSize::k2MiB}),
      HasSubstr("is misaligned"));
  EXPECT_THAT(error_of({.gva = Gva{0x8000'0000'0000}, .gpa = Gpa{0}}), HasSubstr("canonical"));
  EXPECT_THAT(error_of({.gva = Gva{0x7FFF'FFFF'F000}, .gpa = Gpa{0}, .size = 8 * kKiB}),
              HasSubstr("canonical"));
  EXPECT_THAT(error_of({.gva = Gva{~0ULL - 0xFFF}, .gpa = Gpa{0}, .size = 8 * kKiB}),
              HasSubstr("canonical"));
  EXPECT_THAT(error_of({.gva = Gva{0}, .gpa = Gpa{1ULL << 52U}}), HasSubstr("52 bits"));
}

TEST(PagingTest, MappingsThatTheModeHasNot) {
  const PageMap legacy{PagingMode::k32Bit};
  EXPECT_THAT(error_of({.gva = Gva{1ULL << 32U}, .gpa = Gpa{0}}, legacy),
              HasSubstr("leaves the 32-bit addresses of 32-bit paging"));
  EXPECT_THAT(error_of({.gva = Gva{0}, .gpa = Gpa{1ULL << 32U}}, legacy),
              HasSubstr("beyond the 32 bits of a physical address"));
  EXPECT_THAT(error_of({.gva = Gva{0}, .gpa = Gpa{0}, .flags = kNoExecute}, legacy),
              HasSubstr("32-bit paging has no execute-disable bit"));
  EXPECT_THAT(
      error_of({.gva = Gva{0}, .gpa = Gpa{0}, .size = 2 * kMiB, .page_size = PageSize::k2MiB},
               legacy),
      HasSubstr("32-bit paging lacks 2 MiB pages"));
  EXPECT_THAT(error_of({.gva = Gva{0}, .gpa = Gpa{0}, .size = kGiB, .page_size = PageSize::k1GiB},
                       PageMap{PagingMode::kPae}),
              HasSubstr("PAE paging lacks 1 GiB pages"));
  EXPECT_EQ(error_of({.gva = Gva{1ULL << 55U}, .gpa = Gpa{0}}, PageMap{PagingMode::k5Level}),
            "(nothing was thrown)");
  EXPECT_THROW(PageMap{PagingMode::kNone}, PagingError);
  PageMap pae{PagingMode::kPae};
  pae.map({.gva = Gva{0}, .gpa = Gpa{0}});
  EXPECT_THROW((void)build_page_tables(pae, Gpa{1ULL << 32U}), PagingError);
}

TEST(PagingTest, ModeFollowsFromControlRegisters) {
  Registers registers;
  EXPECT_EQ(paging_mode(registers), PagingMode::kNone);
  registers.cr0.value = Cr0::kPe | Cr0::kPg;
  EXPECT_EQ(to_string(paging_mode(registers)), "32-bit paging");
  registers.cr4.value = Cr4::kPae;
  EXPECT_EQ(to_string(paging_mode(registers)), "PAE paging");
  registers.efer.value = Efer::kLma;
  EXPECT_EQ(to_string(paging_mode(registers)), "4-level paging");
  registers.cr4.value |= Cr4::kLa57;
  EXPECT_EQ(to_string(paging_mode(registers)), "5-level paging");
}

TEST(PagingTest, OverlapsNameBothMappings) {
  PageMap map;
  map.map({.gva = Gva{0x200000}, .gpa = Gpa{0}, .size = 2 * kMiB, .page_size = PageSize::k2MiB});
  EXPECT_EQ(
      error_of({.gva = Gva{0x3FF000}, .gpa = Gpa{0x9000}, .size = 8 * kKiB}, map),
      "the mapping 0x3ff000-0x400fff -> 0x9000 overlaps the mapping 0x200000-0x3fffff -> 0x0, "
      "2 MiB pages");
  EXPECT_THAT(error_of({.gva = Gva{0x1FF000}, .gpa = Gpa{0}, .size = 8 * kKiB}, map),
              HasSubstr("overlaps"));
  EXPECT_THAT(error_of({.gva = Gva{0x100000}, .gpa = Gpa{0}, .size = 4 * kMiB}, map),
              HasSubstr("overlaps"));
  map.map({.gva = Gva{0x1FF000}, .gpa = Gpa{0}});
  map.map({.gva = Gva{0x400000}, .gpa = Gpa{0}});
}

TEST(PagingTest, TablesHaveToBeWhereEntriesCanPoint) {
  const PageMap legacy{PagingMode::k32Bit};
  EXPECT_THROW(build_page_tables(legacy, Gpa{1ULL << 32U}), PagingError) << "the first one too";
  EXPECT_THROW(build_page_tables(PageMap{}, Gpa{1ULL << 52U}), PagingError);
  EXPECT_THROW(build_page_tables(PageMap{}, Gpa{0x1001}), PagingError);
}

TEST(PagingTest, UnmappingTakesAddressesOfTheMode) {
  PageMap map;
  EXPECT_THROW(map.unmap(Gva{1ULL << 63U}, 0x1000), PagingError);
}

}  // namespace
