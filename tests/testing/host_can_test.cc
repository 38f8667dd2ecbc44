// Probes say the same as guests that need the ability.
#include <hltest/hltest.h>

namespace {

using namespace hltest;
using ::testing::StartsWith;

class HostCanTest : public ProtectedModeTest {};

TEST_F(HostCanTest, AgreesWithAGuestThatNeedsPaging) {
  machine().set_paging(PagingMode::kPae);
  const HostCan can{Ability::kPaePaging};
  if (can) {
    EXPECT_THAT(run(ProtectedModeImage{"halt", {0xF4}}), Halted());
  } else {
    EXPECT_THAT(can.reason, StartsWith("this host can't run PAE paging: "));
    EXPECT_THROW((void)run(ProtectedModeImage{"halt", {0xF4}}), SetupError);
  }
}

TEST_F(HostCanTest, AgreesWithAGuestThatNeedsSoftwareInterrupts) {
  const Outcome outcome = run(ProtectedModeImage{"int", {0xCD, 0x21, 0xF4}});
  const HostCan can{Ability::kSoftwareInterrupts};
  if (can) {
    EXPECT_THAT(outcome, Raised(Vector{0x21}));
  } else {
    EXPECT_THAT(can.reason, StartsWith("this host can't run INT n in protected mode: "));
    EXPECT_THAT(outcome, HitHostLimit());
  }
}

TEST_F(HostCanTest, AnswersForEachAbility) {
  for (const Ability ability :
       {Ability::k32BitPaging, Ability::kPaePaging, Ability::k5LevelPaging, Ability::kVirtual8086,
        Ability::kSoftwareInterrupts, Ability::kSseArithmetic, Ability::kCpuidChanges,
        Ability::kSegmentLimitChecks}) {
    const HostCan can{ability};
    if (!can) {
      EXPECT_THAT(can.reason, StartsWith("this host can't run "));
    }
  }
}

}  // namespace
