// Page tables for a processor that lacks large pages, and flags that no page has.
#include <gtest/gtest.h>
#include <hltest/x86/paging.h>

#include "../message_of.h"
#include "independent_walk.h"

namespace {

using namespace hltest;
using namespace independent;

TEST(LargePagesTest, PagesThatTheProcessorLacksAreNotUsed) {
  PageMap map{PagingMode::k32Bit};
  map.map({.gva = Gva{0}, .gpa = Gpa{0}, .size = 8 * kMiB});
  EXPECT_EQ(build_page_tables(map, kTables).size(), 1U) << "two 4 MiB pages";
  const auto small = build_page_tables(map, kTables, {.pse = false});
  EXPECT_EQ(small.size(), 3U) << "the directory and two page tables";
  EXPECT_EQ(walk(PagingMode::k32Bit, small, 0x7FFFFF), (Translation{0x7FFFFF, true, false, true}));
  map.map({.gva = Gva{8 * kMiB}, .gpa = Gpa{0}, .size = 4 * kMiB, .page_size = PageSize::k4MiB});
  EXPECT_EQ(message_of<PagingError>([&] { (void)build_page_tables(map, kTables, {.pse = false}); }),
            "the mapping 0x800000-0xbfffff -> 0x0, 4 MiB pages: CR4.PSE is 0, which 4 MiB pages "
            "require");
  EXPECT_EQ(build_page_tables(map, kTables, {.gigabyte = false}).size(), 1U);

  PageMap wide;
  wide.map({.gva = Gva{0}, .gpa = Gpa{0}, .size = 2 * kMiB});
  EXPECT_EQ(build_page_tables(wide, kTables, {.pse = false}).size(), 3U)
      << "CR4.PSE has no meaning in 4-level paging";
  wide.map({.gva = Gva{kGiB}, .gpa = Gpa{0}, .size = kGiB, .page_size = PageSize::k1GiB});
  EXPECT_EQ(
      message_of<PagingError>([&] { (void)build_page_tables(wide, kTables, {.gigabyte = false}); }),
      "the mapping 0x40000000-0x7fffffff -> 0x0, 1 GiB pages: CPUID shows no 1 GiB pages");
}

TEST(PageFlagsTest, FlagsThatAreNoneAreRefused) {
  PageMap map;
  EXPECT_EQ(
      message_of<PagingError>([&] {
        map.map({.gva = Gva{0}, .gpa = Gpa{0}, .flags = PageFlags{1ULL << 12U | 1ULL << 40U}});
      }),
      "the mapping 0x0-0xfff -> 0x0: its flags have bits set that are not flags: 12, 40");
  EXPECT_THROW(map.map({.flags = PageFlags{1}}), PagingError) << "P is not the caller's";
  EXPECT_TRUE(map.mappings().empty());
  map.map(
      {.flags = kReadWrite | kUser | kWriteThrough | kCacheDisable | kPat | kGlobal | kNoExecute});
}

}  // namespace
