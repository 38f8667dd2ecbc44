// What a guest that would not end was doing: the loop with its source lines, and the port it waits
// for.
#include <hltest/hltest.h>

#include "guests/every_mode.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <typename Fixture>
class LoopInEveryMode : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    this->machine().set_timeout(std::chrono::milliseconds{100});
  }
};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(LoopInEveryMode, Fixtures);

TYPED_TEST(LoopInEveryMode, NamesThePortAndTheBit) {
  this->machine().ports().on_in(0x64, Always{0x1C});
  const Outcome outcome = this->run(guests::wait_for_byte);

  ASSERT_THAT(outcome, TimedOut());
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.waits_for, "waits for bit 0 of port 0x64, which always read 0x1c");
  ASSERT_EQ(diagnosis.loop.size(), 3U);
  EXPECT_EQ(diagnosis.loop[0].address, Gva{0x1000});
  EXPECT_EQ(diagnosis.loop[0].instruction, "in al, 0x64");
  EXPECT_EQ(diagnosis.loop[2].instruction, "jz 0x1000");
  EXPECT_GT(diagnosis.loop[1].count, 2U);
  EXPECT_THAT(report(outcome),
              AllOf(HasSubstr("\ncause: waits for bit 0 of port 0x64, which always read 0x1c\n"),
                    HasSubstr("test al, 0x1            wait_for_byte.asm:5 (ready+0x2)\n")));
}

TYPED_TEST(LoopInEveryMode, APortThatNobodyAnswers) {
  // mov dx, 0x1234 with the operand size of each mode; in al, dx; or al, al; jmp back
  std::vector<std::uint8_t> code = {0xBA, 0x34, 0x12, 0xEC, 0x08, 0xC0, 0xEB, 0xFB};
  if (TypeParam::kMode != CpuMode::kReal16) code.insert(code.begin(), 0x66);
  const Outcome outcome = this->run(Image<image_mode(TypeParam::kMode)>{"poll", code});
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(diagnose(outcome).waits_for,
            "waits for port 0x1234, which always read 0xff (nobody answers there)");
}

TYPED_TEST(LoopInEveryMode, ALoopThatWaitsForNothing) {
  const Outcome outcome = this->run(guests::spin);
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(diagnose(outcome).waits_for, "");
  ASSERT_EQ(diagnose(outcome).loop.size(), 1U);
  EXPECT_THAT(report(outcome), AllOf(Not(HasSubstr("cause:")), HasSubstr("times     0x1000  jmp")));
}

// Eight instructions of a loop are shown, and how many more it has.
TYPED_TEST(LoopInEveryMode, ALongLoopIsCut) {
  std::vector<std::uint8_t> code(10, 0x90);
  code.insert(code.end(), {0xEB, 0xF4});
  const Outcome outcome = this->run(Image<image_mode(TypeParam::kMode)>{"nops", code});
  ASSERT_THAT(outcome, TimedOut());
  ASSERT_EQ(diagnose(outcome).loop.size(), 11U);
  EXPECT_THAT(report(outcome), HasSubstr("\n  ... and 3 more\n"));
}

// Watching leaves the logs and the registers of the outcome as they were at the deadline.
TEST_F(RealModeTest, WatchingIsNotInTheLogs) {
  machine().set_timeout(std::chrono::milliseconds{100});
  unsigned asked = 0;
  machine().ports().on_in(0x64, [&asked](const Access&) {
    ++asked;
    return 0U;
  });
  const Outcome outcome = run(guests::wait_for_byte);
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_NE(diagnose(outcome).waits_for, "");
  EXPECT_EQ(outcome.ports.size() + outcome.ports.dropped(), asked);
}

// The immediate of TEST is sign-extended; a TEST of another register is not of what was read.
TEST_F(RealModeTest, TheHighestBitIsOneBit) {
  machine().set_timeout(std::chrono::milliseconds{20});
  // mov dx, 0x1f7; next: in al, dx; test cx, 1; test al, 0x80; jnz next
  const Outcome outcome = run(RealModeImage{
      "waits_for_disk", {0xBA, 0xF7, 1, 0xEC, 0xF7, 0xC1, 1, 0, 0xA8, 0x80, 0x75, 0xF7}});
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(diagnose(outcome).waits_for,
            "waits for bit 7 of port 0x1f7, which always read 0xff (nobody answers there)");
}

}  // namespace
