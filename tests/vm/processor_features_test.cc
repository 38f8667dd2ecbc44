// What CPUID shows of a guest's processor, and what a guest may not start with.
#include "vm/processor_features.h"

#include <gmock/gmock.h>
#include <hltest/hltest.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using internal::kvm::CpuidEntry;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct FeatureOfABit {
  const char* name;
  std::uint64_t bit;
  CpuidFeature feature;
};

void PrintTo(const FeatureOfABit& feature, std::ostream* out) { *out << feature.name; }

class MissingFeatureTest : public ::testing::TestWithParam<FeatureOfABit> {};

TEST_P(MissingFeatureTest, IsNamedWhereCpuidDoesNotShowIt) {
  Registers registers;
  registers.cr4.value = GetParam().bit;
  CpuidEntry entry{.leaf = GetParam().feature.leaf};
  EXPECT_THAT(internal::missing_feature(registers, {entry}),
              StartsWith(std::string{"CR4."} + GetParam().name));
  entry.registers.*GetParam().feature.where = 1U << GetParam().feature.bit;
  EXPECT_EQ(internal::missing_feature(registers, {entry}), "");
}

INSTANTIATE_TEST_SUITE_P(Cr4, MissingFeatureTest,
                         ::testing::Values(FeatureOfABit{"LA57", 1U << 12U, kCpuidLa57},
                                           FeatureOfABit{"SMEP", 1U << 20U, kCpuidSmep},
                                           FeatureOfABit{"SMAP", 1U << 21U, kCpuidSmap},
                                           FeatureOfABit{"UMIP", 1U << 11U, kCpuidUmip},
                                           FeatureOfABit{"PCIDE", 1U << 17U, kCpuidPcid},
                                           FeatureOfABit{"FSGSBASE", 1U << 16U, kCpuidFsgsbase},
                                           FeatureOfABit{"OSXSAVE", 1U << 18U, kCpuidXsave}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST(MissingFeature, NoneIsNamedWhereNoneIsNeeded) {
  EXPECT_EQ(internal::missing_feature(Registers{}, {}), "");
}

// SDM vol. 2, CPUID 80000008H: EAX[7:0] is MAXPHYADDR; 36 where there is no such leaf.
TEST(PagingFeatures, AreThoseOfCpuid) {
  EXPECT_EQ(internal::paging_features_of(std::vector<CpuidEntry>{}).physical_bits, 36U);
  EXPECT_FALSE(internal::paging_features_of(std::vector<CpuidEntry>{}).gigabyte_pages);
  const std::vector<CpuidEntry> cpuid{{.leaf = {0x8000'0008}, .registers = {.eax = 0x3028}},
                                      {.leaf = {0x8000'0001}, .registers = {.edx = 1U << 26U}}};
  EXPECT_EQ(internal::paging_features_of(cpuid).physical_bits, 40U);
  EXPECT_TRUE(internal::paging_features_of(cpuid).gigabyte_pages);
}

class FeatureLongModeTest : public LongModeTest {};

TEST_F(FeatureLongModeTest, FiveLevelPagingThatTheHostLacksIsRefusedByName) {
  if (HostCan{Ability::k5LevelPaging}) GTEST_SKIP() << "this host has 5-level paging";
  machine().set_paging(PagingMode::k5Level);
  EXPECT_THAT(message_of<SetupError>([this] {
                (void)run(LongModeImage{"halt", {0xF4}});
              }),
              HasSubstr("CR4.LA57 (5-level paging) requires a feature that the guest's CPUID does "
                        "not show (leaf 0x7, bit 16): start without it, or ask HostCan first"));
}

TEST_F(FeatureLongModeTest, ChangesOfCpuidCount) {
  CpuidEdits edits;
  edits.hide(kCpuidPage1GiB);
  EXPECT_FALSE(internal::paging_features_of(edits).gigabyte_pages);
  edits.show(kCpuidPage1GiB);
  EXPECT_TRUE(internal::paging_features_of(edits).gigabyte_pages);
}

}  // namespace
