// Probes say the same as guests that need the ability.
#include <hltest/hltest.h>

#include <fmt/format.h>

#include <cctype>

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

// What a guest that needs the ability comes to, where this host has it.
struct NeedsAbility {
  Ability ability;
  const char* what;  // as the reason names it
};

void PrintTo(const NeedsAbility& needs, std::ostream* out) { *out << needs.what; }

class AbilityTest : public ::testing::TestWithParam<NeedsAbility> {};

TEST_P(AbilityTest, HasAReasonWhereTheHostLacksIt) {
  const HostCan can{GetParam().ability};
  if (can) return;
  EXPECT_THAT(can.reason, StartsWith(fmt::format("this host can't run {}: ", GetParam().what)));
  EXPECT_GT(can.reason.size(), std::string("this host can't run : ").size() + 5);
}

INSTANTIATE_TEST_SUITE_P(
    Abilities, AbilityTest,
    ::testing::Values(NeedsAbility{Ability::k32BitPaging, "32-bit paging"},
                      NeedsAbility{Ability::kPaePaging, "PAE paging"},
                      NeedsAbility{Ability::k5LevelPaging, "5-level paging"},
                      NeedsAbility{Ability::kVirtual8086, "virtual-8086 mode"},
                      NeedsAbility{Ability::kSoftwareInterrupts, "INT n in protected mode"},
                      NeedsAbility{Ability::kSseArithmetic, "SSE arithmetic"},
                      NeedsAbility{Ability::kCpuidChanges, "another CPUID than the host's"},
                      NeedsAbility{Ability::kSegmentLimitChecks, "checks of segment limits"},
                      NeedsAbility{Ability::k1GiBPages, "1 GiB pages"},
                      NeedsAbility{Ability::kFarCalls, "far calls in protected mode"},
                      NeedsAbility{Ability::kCallGates, "call gates"},
                      NeedsAbility{Ability::kIret, "IRETD in protected mode"},
                      NeedsAbility{Ability::kSyscall, "SYSCALL of 64-bit code"},
                      NeedsAbility{Ability::kSysret, "SYSRET to 64-bit code"},
                      NeedsAbility{Ability::kPrivilegeOf64BitCpl3,
                                   "64-bit code at CPL 3 with the guest's own IOPL"},
                      NeedsAbility{Ability::kSmep, "SMEP"}, NeedsAbility{Ability::kSmap, "SMAP"},
                      NeedsAbility{Ability::kUmip, "UMIP"}),
    [](const auto& test) {
      std::string name;
      for (const char c : std::string_view{test.param.what}) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
      }
      return name;
    });

// The probes that hold code of their own, against the same code in another form.
TEST_F(HostCanTest, AgreesWithAGuestThatCallsAndReturns) {
  memory().write<std::uint32_t>(Gpa{0x1020}, 0x1030);
  memory().write<std::uint16_t>(Gpa{0x1024}, kCode32Selector);
  memory().write<std::uint8_t>(Gpa{0x1030}, 0xCB);
  // call far [0x1020]; hlt, and there a retf
  const Outcome far_call = run(ProtectedModeImage{"far", {0xFF, 0x1D, 0x20, 0x10, 0, 0, 0xF4}});
  EXPECT_EQ(far_call.halted(), static_cast<bool>(HostCan{Ability::kFarCalls})) << report(far_call);
  // pushfd; push cs; call +1; hlt; iretd
  const Outcome iret = run(ProtectedModeImage{"iret", {0x9C, 0x0E, 0xE8, 1, 0, 0, 0, 0xF4, 0xCF}});
  EXPECT_EQ(iret.halted(), static_cast<bool>(HostCan{Ability::kIret})) << report(iret);
}

class HostCanInLongMode : public LongModeTest {};

TEST_F(HostCanInLongMode, AgreesWithAGuestThatNeeds1GiBPages) {
  machine().map({.gva = Gva{kGiB}, .gpa = Gpa{0}, .size = kGiB, .page_size = PageSize::k1GiB});
  const LongModeImage halt{"halt", {0xF4}};
  if (HostCan{Ability::k1GiBPages}) {
    EXPECT_THAT(run(halt.entered_at(Gva{kGiB + 0x1000})), Halted());
  } else {
    EXPECT_THROW((void)run(halt), PagingError);
  }
}

TEST_F(HostCanInLongMode, AgreesWithAGuestThatSetsABitOfCr4) {
  machine().registers().cr4->value |= Cr4::kSmap;
  const LongModeImage halt{"halt", {0xF4}};
  if (HostCan{Ability::kSmap}) {
    EXPECT_THAT(run(halt), Halted());
  } else {
    EXPECT_THROW((void)run(halt), SetupError);
  }
}

}  // namespace
