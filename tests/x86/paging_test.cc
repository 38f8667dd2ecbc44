// Page tables against an independent walk that knows nothing of the builder: it follows the SDM's
// table 4-14 to 4-20 over the bytes of the tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/paging.h>

#include <map>
#include <optional>
#include <random>
#include <string>

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr Gpa kTables{0x7000};

struct Translation {
  std::uint64_t gpa;
  bool writable;
  bool user;
  bool executable;
  friend bool operator==(const Translation&, const Translation&) = default;
};

std::optional<Translation> walk(const std::vector<PageTable>& tables, std::uint64_t gva) {
  std::uint64_t table = kTables.value();
  Translation result{0, true, true, true};
  for (int shift = 39;; shift -= 9) {
    const std::uint64_t entry = tables.at((table - kTables.value()) / 4096).at(gva >> shift & 511);
    if ((entry & 1) == 0) return std::nullopt;
    result.writable = result.writable && (entry & 2) != 0;
    result.user = result.user && (entry & 4) != 0;
    result.executable = result.executable && (entry >> 63) == 0;
    const std::uint64_t address = entry & 0x000FFFFFFFFFF000;
    const bool is_page = shift == 12 || (shift == 21 && (entry & 0x80) != 0);
    if (is_page) {
      const std::uint64_t mask = (1ULL << shift) - 1;
      EXPECT_EQ(address & mask, 0U) << "reserved bits of a large page";
      result.gpa = address | (gva & mask);
      return result;
    }
    table = address;
  }
}

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

// Random maps, each boundary of each mapping checked.
TEST(PagingTest, RandomMapsWalkBack) {
  std::mt19937_64 random{20261120};
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  for (int round = 0; round < 200; ++round) {
    PageMap map;
    std::vector<PageMapping> mapped;
    for (int i = 0; i < 20; ++i) {
      const bool large = pick(2) == 0;
      const std::uint64_t page = large ? 2 * kMiB : 4 * kKiB;
      const std::uint64_t half = pick(2) == 0 ? 0 : 0xFFFF'8000'0000'0000;
      const PageMapping mapping{.gva = Gva{half + pick(1ULL << (large ? 20 : 16)) * page},
                                .gpa = Gpa{pick(1ULL << 20U) * page},
                                .size = (1 + pick(600)) * page,
                                .flags = (pick(2) == 0 ? kReadWrite : kReadOnly) |
                                         (pick(2) == 0 ? kUser : kReadOnly) |
                                         (pick(2) == 0 ? kNoExecute : kReadOnly),
                                .page_size = large ? PageSize::k2MiB : PageSize::k4KiB};
      try {
        map.map(mapping);
        mapped.push_back(mapping);
      } catch (const PagingError& error) {
        ASSERT_THAT(error.what(), HasSubstr("overlaps"));
      }
    }
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
        const PageMapping* const expected = owner(gva);
        const auto translation = walk(tables, gva);
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
            "the mapping 0x1001-0x2000 -> 0x0, 4 KiB pages of 0x1000 bytes is misaligned: both "
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

TEST(PagingTest, OverlapsNameBothMappings) {
  PageMap map;
  map.map({.gva = Gva{0x200000}, .gpa = Gpa{0}, .size = 2 * kMiB, .page_size = PageSize::k2MiB});
  EXPECT_EQ(error_of({.gva = Gva{0x3FF000}, .gpa = Gpa{0x9000}, .size = 8 * kKiB}, map),
            "the mapping 0x3ff000-0x400fff -> 0x9000, 4 KiB pages overlaps the mapping "
            "0x200000-0x3fffff -> 0x0, 2 MiB pages");
  EXPECT_THAT(error_of({.gva = Gva{0x1FF000}, .gpa = Gpa{0}, .size = 8 * kKiB}, map),
              HasSubstr("overlaps"));
  EXPECT_THAT(error_of({.gva = Gva{0x100000}, .gpa = Gpa{0}, .size = 4 * kMiB}, map),
              HasSubstr("overlaps"));
  map.map({.gva = Gva{0x1FF000}, .gpa = Gpa{0}});
  map.map({.gva = Gva{0x400000}, .gpa = Gpa{0}});
}

}  // namespace
