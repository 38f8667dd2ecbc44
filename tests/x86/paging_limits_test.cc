// The last address, size and alignment that a mapping can have, and the first that it can't; which
// page sizes each paging mode has; how mappings and their flags are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/page_walk.h>

#include "../message_of.h"
#include "independent_walk.h"

namespace {

using namespace hltest;
using namespace independent;
using enum PagingMode;
using ::testing::HasSubstr;

constexpr std::uint64_t kPage = 4 * kKiB;

std::string error_of(PagingMode mode, const PageMapping& mapping) {
  PageMap map{mode};
  return message_of<PagingError>([&] { map.map(mapping); });
}

TEST(PagingLimitsTest, TheLastPhysicalPageCanBeMappedAndNoneBeyondIt) {
  for (const PagingMode mode : {k32Bit, kPae, k4Level, k5Level}) {
    const std::uint64_t end = 1ULL << (mode == k32Bit ? 32U : 52U);
    PageMap map{mode};
    map.map({.gva = Gva{0}, .gpa = Gpa{end - kPage}});
    EXPECT_EQ(map.mappings().size(), 1U) << to_string(mode);
    EXPECT_THAT(error_of(mode, {.gva = Gva{0}, .gpa = Gpa{end}}), HasSubstr("bits of a physical"));
    EXPECT_THAT(error_of(mode, {.gva = Gva{0}, .gpa = Gpa{end - kPage}, .size = 2 * kPage}),
                HasSubstr("bits of a physical"));
  }
}

TEST(PagingLimitsTest, TheLastLinearPageOfEachHalfCanBeMappedAndNoneBeyondIt) {
  struct Half {
    PagingMode mode;
    std::uint64_t first;
    std::uint64_t last;
  };
  constexpr Half kHalves[] = {
      {k32Bit, 0, 0xFFFF'F000},          {kPae, 0, 0xFFFF'F000},
      {k4Level, 0, 0x7FFF'FFFF'F000},    {k4Level, 0xFFFF'8000'0000'0000, 0xFFFF'FFFF'FFFF'F000},
      {k5Level, 0, 0xFF'FFFF'FFFF'F000}, {k5Level, 0xFF00'0000'0000'0000, 0xFFFF'FFFF'FFFF'F000}};
  for (const Half& half : kHalves) {
    SCOPED_TRACE(to_string(half.mode));
    for (const std::uint64_t gva : {half.first, half.last}) {
      PageMap map{half.mode};
      map.map({.gva = Gva{gva}, .gpa = Gpa{0}});
      map.unmap(Gva{gva}, kPage);
      EXPECT_TRUE(map.mappings().empty());
    }
    EXPECT_THAT(error_of(half.mode, {.gva = Gva{half.last}, .gpa = Gpa{0}, .size = 2 * kPage}),
                HasSubstr("leaves"));
    if (half.first == 0) continue;
    EXPECT_THAT(error_of(half.mode, {.gva = Gva{half.first - kPage}, .gpa = Gpa{0}}),
                HasSubstr("leaves"));
  }
}

TEST(PagingLimitsTest, EachModeHasItsPageSizes) {
  struct Sizes {
    PageSize size;
    std::array<bool, 4> has;  // 32-bit, PAE, 4-level, 5-level
    const char* name;
  };
  constexpr Sizes kSizes[] = {{PageSize::kLargest, {true, true, true, true}, ""},
                              {PageSize::k4KiB, {true, true, true, true}, ", 4 KiB pages"},
                              {PageSize::k2MiB, {false, true, true, true}, ", 2 MiB pages"},
                              {PageSize::k4MiB, {true, false, false, false}, ", 4 MiB pages"},
                              {PageSize::k1GiB, {false, false, true, true}, ", 1 GiB pages"}};
  constexpr std::array kModes = {k32Bit, kPae, k4Level, k5Level};
  for (const Sizes& each : kSizes) {
    const PageMapping mapping{.gva = Gva{0}, .gpa = Gpa{0}, .size = kGiB, .page_size = each.size};
    EXPECT_EQ(to_string(mapping), std::string{"0x0-0x3fffffff -> 0x0"} + each.name);
    for (std::size_t i = 0; i < kModes.size(); ++i) {
      PageMap map{kModes.at(i)};
      if (each.has.at(i)) {
        EXPECT_NO_THROW(map.map(mapping)) << to_string(kModes.at(i)) << each.name;
      } else {
        EXPECT_THROW(map.map(mapping), PagingError) << to_string(kModes.at(i)) << each.name;
      }
    }
  }
}

TEST(PagingLimitsTest, AddressesAndSizeAreMultiplesOfThePageSize) {
  for (const PageSize page_size : {PageSize::k4KiB, PageSize::k2MiB, PageSize::k1GiB}) {
    const auto page = static_cast<std::uint64_t>(page_size);
    const std::uint64_t half = page / 2;
    const auto error = [&](std::uint64_t gva, std::uint64_t gpa, std::uint64_t size) {
      return error_of(k4Level,
                      {.gva = Gva{gva}, .gpa = Gpa{gpa}, .size = size, .page_size = page_size});
    };
    EXPECT_THAT(error(page + half, page, page), HasSubstr("misaligned")) << page;
    EXPECT_THAT(error(page, page + half, page), HasSubstr("misaligned")) << page;
    EXPECT_THAT(error(page, page, page + half), HasSubstr("misaligned")) << page;
    PageMap map;
    EXPECT_NO_THROW(map.map({Gva{page}, Gpa{page}, page, kReadWrite, page_size}));
  }
}

TEST(PagingLimitsTest, UnmappingTakesWholePagesThatDoNotWrap) {
  PageMap map;
  map.map({.gva = Gva{0x1000}, .gpa = Gpa{0}, .size = 3 * kPage});
  for (const auto& [gva, size] :
       {std::pair{0x1800ULL, 0x1000ULL}, std::pair{0x1000ULL, 0x800ULL}, std::pair{0x1000ULL, 0ULL},
        std::pair{~0xFFFULL, 0x2000ULL}, std::pair{0x7FFF'FFFF'F000ULL, 0x2000ULL}}) {
    EXPECT_THROW(map.unmap(Gva{gva}, size), PagingError) << std::hex << gva << ", " << size;
  }
  EXPECT_EQ(map.mappings().size(), 1U);
}

TEST(PagingLimitsTest, UnmappingLeavesTheNeighboursAlone) {
  PageMap map;
  for (const std::uint64_t gva : {0x1000U, 0x2000U, 0x3000U}) {
    map.map({.gva = Gva{gva}, .gpa = Gpa{gva}, .page_size = PageSize::k4KiB});
  }
  map.unmap(Gva{0x2000}, kPage);
  ASSERT_EQ(map.mappings().size(), 2U);
  EXPECT_EQ(map.mappings()[0].last(), Gva{0x1FFF});
  EXPECT_EQ(map.mappings()[0].page_size, PageSize::k4KiB) << "not a part of what was unmapped";
  EXPECT_EQ(map.mappings()[1].gva, Gva{0x3000});
  EXPECT_EQ(map.mappings()[1].page_size, PageSize::k4KiB);
}

TEST(PagingLimitsTest, UnmappingAtAnEndLeavesOnePart) {
  const auto left = [](std::uint64_t gva) {
    PageMap map;
    map.map({.gva = Gva{0x1000}, .gpa = Gpa{0x8000}, .size = 2 * kPage});
    map.unmap(Gva{gva}, kPage);
    EXPECT_EQ(map.mappings().size(), 1U);
    return to_string(map.mappings().front());
  };
  EXPECT_EQ(left(0x1000), "0x2000-0x2fff -> 0x9000");
  EXPECT_EQ(left(0x2000), "0x1000-0x1fff -> 0x8000");
}

TEST(PagingLimitsTest, FlagsHaveNames) {
  EXPECT_EQ(to_string(kReadOnly), "r-x");
  EXPECT_EQ(to_string(kReadWrite), "rwx");
  EXPECT_EQ(to_string(kNoExecute), "r--");
  EXPECT_EQ(to_string(kUser), "r-xu");
  EXPECT_EQ(to_string(kGlobal), "r-xg");
  EXPECT_EQ(to_string(kWriteThrough), "r-x PWT");
  EXPECT_EQ(to_string(kCacheDisable), "r-x PCD");
  EXPECT_EQ(to_string(kPat), "r-x PAT");
  EXPECT_EQ(to_string(kNone), "no paging");
}

TEST(PagingLimitsTest, TablesReachToTheLastPageThatAnEntryCanPointTo) {
  struct Room {
    PagingMode mode;
    std::uint64_t end;
  };
  for (const auto& [mode, end] : {Room{k32Bit, 1ULL << 32U}, Room{kPae, 1ULL << 32U},
                                  Room{k4Level, 1ULL << 52U}, Room{k5Level, 1ULL << 52U}}) {
    PageMap map{mode};
    EXPECT_EQ(build_page_tables(map, Gpa{end - kPage}).size(), 1U) << to_string(mode);
    map.map({.gva = Gva{0}, .gpa = Gpa{0}});
    EXPECT_THROW((void)build_page_tables(map, Gpa{end - kPage}), PagingError) << to_string(mode);
  }
}

TEST(PagingLimitsTest, ALargePageIsUsedFromItsSizeOnWhereBothSidesAreAligned) {
  const auto tables = [](PageMapping mapping) {
    PageMap map;
    map.map(mapping);
    return build_page_tables(map, kTables).size();
  };
  constexpr std::uint64_t kLarge = 2 * kMiB;
  EXPECT_EQ(tables({.gva = Gva{0}, .gpa = Gpa{0}, .size = kLarge}), 3U);
  EXPECT_EQ(tables({.gva = Gva{0}, .gpa = Gpa{0}, .size = kLarge - kPage}), 4U);
  EXPECT_EQ(tables({.gva = Gva{0}, .gpa = Gpa{kPage}, .size = kLarge}), 4U);
  EXPECT_EQ(tables({.gva = Gva{kPage}, .gpa = Gpa{0}, .size = kLarge}), 5U);
  EXPECT_EQ(tables({.gva = Gva{0}, .gpa = Gpa{0}, .size = kGiB}), 3U) << "none of 1 GiB";
}

}  // namespace
