// An exception gives the registers from before it, whatever segments and stack the guest has.
#include <hltest/hltest.h>

namespace {

using namespace hltest;

constexpr std::uint16_t kLdtCode = 0x04;
constexpr std::uint16_t kUserLdtCode = 0x0F;

TEST_F(ProtectedModeTest, CodeOfTheLdt) {
  machine().set_descriptor(kLdtCode, Code32{.base = Gva{0x1000}});
  machine().registers().cs = machine().segment(kLdtCode);
  // nop; ud2
  const Outcome outcome = run(ProtectedModeImage{"ldt", {0x90, 0x0F, 0x0B}});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.registers.cs.selector, kLdtCode);
  EXPECT_EQ(outcome.registers.cs.base, Gva{0x1000});
  EXPECT_EQ(outcome.registers.rip, 1U);
  EXPECT_EQ(outcome.mode, CpuMode::kProtected32);
  const Diagnosis diagnosis = diagnose(outcome);
  ASSERT_TRUE(diagnosis.place.has_value());
  EXPECT_EQ(diagnosis.place->address, Gva{0x1001});
}

TEST_F(ProtectedModeTest, AHltInUserCodeOfTheLdtIsAHalt) {
  machine().set_cpl(3);
  machine().set_descriptor(kUserLdtCode, Code32{.base = Gva{0x1000}, .dpl = 3});
  machine().registers().cs = machine().segment(kUserLdtCode);
  const Outcome outcome = run(ProtectedModeImage{"ldt", {0x90, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rip, 2U) << "after the HLT";
}

TEST_F(ProtectedMode16Test, TheStackPointerWraps) {
  // xor bx, bx; div bx
  const Outcome outcome =
      run(RealModeImage{"wraps", {0x31, 0xDB, 0xF7, 0xF3}}, {.rax = 1, .rsp = 0});
  if (std::holds_alternative<TripleFault>(outcome.stop)) {
    GTEST_SKIP() << "this KVM does not let SP wrap when it delivers an exception";
  }
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.registers.rsp, 0U);
}

// Each #UD comes back to the same UD2, by an IST stack that is the same each time.
TEST_F(LongModeTest, AHandlerThatFaultsForEverOutsideTheImage) {
  memory().write<std::uint16_t>(Gpa{0x8000}, 0x0B0F);
  machine().set_gate(Vector::kInvalidOpcode,
                     InterruptGate64{.selector = kCode64Selector, .offset = 0x8000, .ist = 1});
  machine().set_timeout(std::chrono::milliseconds{300});
  const Outcome outcome = run(LongModeImage{"again", {0x0F, 0x0B}});
  ASSERT_THAT(outcome, TimedOut());
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_TRUE(diagnosis.is_outside_image);
  ASSERT_FALSE(diagnosis.loop.empty());
  EXPECT_EQ(diagnosis.loop[0].address, Gva{0x8000});
}

}  // namespace
