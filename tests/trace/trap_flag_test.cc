// A replay steps by RFLAGS.TF: which instructions of the guest's set it, and which show it.
#include <hltest/hltest.h>

namespace {

using namespace hltest;

constexpr const char* kStepsItself = "it sets RFLAGS.TF, by which KVM steps";

struct TrapCase {
  const char* name;
  std::vector<std::uint8_t> code;
  const char* not_replayed;
};

// All of them end with UD2, or take the #DB first.
TEST_F(RealModeTest, PopfAndPopfdSetTheTrapFlagIfTheStackHasIt) {
  const TrapCase cases[] = {
      // pushf; pop ax; or ax, 0x100; push ax; popf
      {"popf", {0x9C, 0x58, 0x0D, 0x00, 0x01, 0x50, 0x9D, 0x90, 0x0F, 0x0B}, kStepsItself},
      // pushfd; pop eax; or eax, 0x100; push eax; popfd
      {"popfd",
       {0x66, 0x9C, 0x66, 0x58, 0x66, 0x0D, 0x00, 0x01, 0, 0, 0x66, 0x50, 0x66, 0x9D, 0x90, 0x0F,
        0x0B},
       kStepsItself},
      // pushf; pop ax; or ax, 0x800; push ax; popf: OF, which is beside DF, IF and TF
      {"other", {0x9C, 0x58, 0x0D, 0x00, 0x08, 0x50, 0x9D, 0x90, 0x0F, 0x0B}, ""}};
  for (const TrapCase& each : cases) {
    EXPECT_EQ(diagnose(run(RealModeImage{each.name, each.code})).not_replayed, each.not_replayed)
        << each.name;
  }
}

TEST_F(RealModeTest, NeitherPushfNorPushfdShowsTheStepsOfAReplay) {
  const TrapCase cases[] = {{"pushf", {0x9C, 0x58, 0x0F, 0x0B}, ""},
                            {"pushfd", {0x66, 0x9C, 0x66, 0x58, 0x0F, 0x0B}, ""}};
  for (const TrapCase& each : cases) {
    const Outcome outcome = run(RealModeImage{each.name, each.code});
    ASSERT_THAT(outcome, Raised(InvalidOpcode()));
    const Diagnosis diagnosis = diagnose(outcome);
    EXPECT_EQ(diagnosis.not_replayed, "") << each.name;
    ASSERT_FALSE(diagnosis.history.empty()) << each.name;
    for (const HistoryStep& step : diagnosis.history) {
      for (const NamedValue& change : step.changes) {
        EXPECT_FALSE(change.name == "rax" && (change.value & Rflags::kTf) != 0) << each.name;
      }
    }
  }
}

// The bytes before a #DE look like INT 0, and AAM raises it all the same.
TEST_F(RealModeTest, AamAfterBytesThatLookLikeInt0RaisesDivideErrorByItself) {
  // jmp $+4; int 0 (never run); aam 0; hlt
  const Outcome outcome = run(RealModeImage{"aam", {0xEB, 0x02, 0xCD, 0x00, 0xD4, 0x00, 0xF4}});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.stop_address(), Gva{0x1004});
}

}  // namespace
