// KVM takes 255 MSRs at a time; a snapshot on hardware has more.
#include "start_of.h"

#include "vm/guest.h"

#include <span>

namespace {

using namespace hltest;
using namespace hltest::internal;

class ManyMsrsTest : public EngineTest {};

constexpr std::size_t kMany = 600;
constexpr Msr kUnknown{0x1234'5678};

TEST_F(ManyMsrsTest, AreReadAndSet) {
  Guest guest;
  std::vector<MsrValue> wanted;
  for (std::size_t i = 0; i < kMany; ++i) {
    wanted.push_back({i % 2 == 0 ? Msr::kIa32Lstar : Msr::kIa32KernelGsBase, i});
  }
  EXPECT_EQ(guest.vcpu().set_msrs(wanted), std::nullopt);
  EXPECT_EQ(guest.msr(Msr::kIa32KernelGsBase), kMany - 1) << "the last of them too";

  std::vector<Msr> msrs;
  for (const MsrValue& each : wanted) msrs.push_back(each.msr);
  const std::vector<MsrValue> values = guest.vcpu().msrs(msrs);
  ASSERT_EQ(values.size(), kMany);
  EXPECT_EQ(values[kMany - 2].value, kMany - 2);
  EXPECT_EQ(values[kMany - 1].value, kMany - 1);
}

// Each part of the list may have some that this KVM does not know.
TEST_F(ManyMsrsTest, UnknownOnesAreLeftOutAndTold) {
  Guest guest;
  for (const std::size_t place : {0U, 254U, 255U, 256U, 599U}) {
    std::vector<Msr> msrs(kMany, Msr::kIa32Lstar);
    msrs[place] = kUnknown;
    EXPECT_EQ(guest.vcpu().msrs(msrs).size(), kMany - 1) << place;
    std::vector<MsrValue> wanted(kMany, {Msr::kIa32Lstar, 1});
    wanted[place] = {kUnknown, place};
    EXPECT_EQ(guest.vcpu().set_msrs(wanted), (MsrValue{kUnknown, place}));
  }
}

}  // namespace
