// What an entry of each level can be in each mode (SDM vol. 3, tables 4-3 to 4-20).
#include "x86/paging/page_entry.h"
#include <gtest/gtest.h>

namespace {

using namespace hltest;
using namespace hltest::internal;
using enum PagingMode;

struct EntryCase {
  const char* name;
  PagingMode mode;
  unsigned level;
  std::uint64_t value;
  bool is_page;
  std::uint64_t reserved;
  PagingContext context{};
};

class EntryRules : public ::testing::TestWithParam<EntryCase> {};

TEST_P(EntryRules, IsPageAndReserves) {
  const EntryCase& each = GetParam();
  const PageEntry entry{.mode = each.mode, .level = each.level, .value = each.value};
  EXPECT_EQ(entry.is_page(each.context), each.is_page);
  EXPECT_EQ(entry.reserved_bits(each.context), each.reserved) << std::hex << each.reserved;
}

constexpr std::uint64_t kXd = 1ULL << 63U;
constexpr std::uint64_t kBits52To62 = 0x7FF0'0000'0000'0000;
INSTANTIATE_TEST_SUITE_P(
    Entries, EntryRules,
    ::testing::Values(
        EntryCase{"Pte32", k32Bit, 0, 0x81, true, 0}, EntryCase{"Pde32", k32Bit, 1, 0x01, false, 0},
        EntryCase{"PdePs32", k32Bit, 1, 0x81, true, 1U << 21U},
        EntryCase{"PdePs32Of36Bits", k32Bit, 1, 0x81, true, 0x3E0000, {.physical_bits = 36}},
        EntryCase{"PdePs32Of32Bits", k32Bit, 1, 0x81, true, 0x3FE000, {.physical_bits = 32}},
        EntryCase{"PdeWithoutPse", k32Bit, 1, 0x81, false, 0, {.large_pages = false}},
        EntryCase{"PtePae", kPae, 0, 1, true, kBits52To62},
        EntryCase{"PdePae", kPae, 1, 1, false, kBits52To62},
        EntryCase{"PdePsPae", kPae, 1, 0x81, true, kBits52To62 | 0x1FE000},
        EntryCase{"PdptePae", kPae, 2, 1, false, kBits52To62 | kXd | 0x1C6},
        EntryCase{"PdptePsPae", kPae, 2, 0x81, false, kBits52To62 | kXd | 0x1C6},
        EntryCase{"Pte", k4Level, 0, 0x81, true, 0}, EntryCase{"Pde", k4Level, 1, 1, false, 0},
        EntryCase{"PdePs", k4Level, 1, 0x81, true, 0x1FE000},
        EntryCase{"Pdpte", k4Level, 2, 1, false, 0x80},
        EntryCase{"PdptePs", k4Level, 2, 0x81, true, 0x3FFFE000},
        EntryCase{"PdptePs5", k5Level, 2, 0x81, true, 0x3FFFE000},
        EntryCase{"PdptePsOfNone", k4Level, 2, 0x81, false, 0x80, {.gigabyte_pages = false}},
        EntryCase{"Pml4e", k4Level, 3, 0x81, false, 0x80},
        EntryCase{"Pml5e", k5Level, 4, 0x81, false, 0x80},
        EntryCase{
            "PdeWithoutPseIn4Level", k4Level, 1, 0x81, true, 0x1FE000, {.large_pages = false}},
        EntryCase{"PteWithoutNxe", k4Level, 0, 1, true, kXd, {.no_execute = false}},
        EntryCase{"Pte32WithoutNxe", k32Bit, 0, 1, true, 0, {.no_execute = false}},
        EntryCase{"PteOf40Bits", k4Level, 0, 1, true, 0xFFF0000000000, {.physical_bits = 40}}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(PageEntryTest, LoadingAPdpteLooksAtBit5Too) {
  const PageEntry entry{.mode = kPae, .level = 2, .value = 1};
  EXPECT_EQ(entry.reserved_bits_of_loaded_pdpte({}), entry.reserved_bits({}) | 0x20U);
}

TEST(PageEntryTest, IsMadeOfAnAddressAndFlags) {
  const PageFlags all = kReadWrite | kUser | kPat | kGlobal | kNoExecute;
  EXPECT_EQ(PageEntry::page(k4Level, 0, Gpa{0x5000}, all).value, kXd | 0x5187U);
  EXPECT_EQ(PageEntry::page(k4Level, 1, Gpa{0x200000}, all).value, kXd | 0x201187U);
  EXPECT_EQ(PageEntry::page(k4Level, 1, Gpa{0x200000}, kReadOnly).value, 0x200081U);
  EXPECT_EQ(PageEntry::table(k4Level, 1, Gpa{0x5000}, all).value, 0x5007U) << "XD is the page's";
  EXPECT_EQ(PageEntry::table(k4Level, 1, Gpa{0x5000}, kReadOnly).value, 0x5001U);
  EXPECT_EQ(PageEntry::table(kPae, 2, Gpa{0x5000}, all).value, 0x5001U);
  EXPECT_EQ(PageEntry::table(kPae, 1, Gpa{0x5000}, all).value, 0x5007U);
}

TEST(PageEntryTest, HasAnAddressAndCaching) {
  const PageEntry small{.mode = k4Level, .level = 0, .value = kXd | 0x000F'FFFF'FFFF'F199};
  EXPECT_EQ(small.page_address(), Gpa{0x000F'FFFF'FFFF'F000});
  EXPECT_EQ(small.caching(), kWriteThrough | kCacheDisable | kPat | kGlobal);
  const PageEntry large{.mode = k4Level, .level = 1, .value = 0x0040'1081};
  EXPECT_EQ(large.page_address(), Gpa{0x0040'0000});
  EXPECT_EQ(large.caching(), kPat) << "bit 12";
  const PageEntry pse36{.mode = k32Bit, .level = 1, .value = 0x0043'E081};
  EXPECT_EQ(pse36.page_address(), Gpa{0x1F'0040'0000}) << "bits 20:13 are bits 39:32";
  const PageEntry highest{.mode = k32Bit, .level = 1, .value = 0x005F'E081};
  EXPECT_EQ(highest.page_address(), Gpa{0xFF'0040'0000}) << "all eight of them";
  EXPECT_EQ((PageEntry{.mode = kPae, .level = 2, .value = 0x5001}.table_address()), Gpa{0x5000});
}

TEST(PageEntryTest, DeniesRights) {
  const PageEntry none{.mode = k4Level, .level = 2, .value = kXd | 1U};
  const PageEntry all{.mode = k4Level, .level = 2, .value = 7};
  for (const PageRight right : {PageRight::kWrite, PageRight::kUserAccess, PageRight::kExecute}) {
    EXPECT_TRUE(none.denies(right));
    EXPECT_FALSE(all.denies(right));
    EXPECT_FALSE((PageEntry{.mode = kPae, .level = 2, .value = 1}.denies(right)));
  }
  EXPECT_TRUE((PageEntry{.mode = kPae, .level = 1, .value = 1}.denies(PageRight::kWrite)));
}

}  // namespace
