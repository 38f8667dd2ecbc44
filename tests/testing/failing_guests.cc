// Tests that fail on purpose: report_of_failure_test.cmake runs this program and reads what it
// says.
#include <hltest/hltest.h>

#include "guests/broken_protected.h"
#include "guests/real_mode.h"

namespace {

using namespace hltest;

TEST_F(RealModeTest, TwoExpectationsFail) {
  const Outcome outcome = run(guests::add_digits_newline, {.rax = 2, .rbx = 2});
  EXPECT_THAT(outcome, Wrote(kCom1, "5\n"));
  EXPECT_EQ(outcome.registers.bl(), 3);
}

TEST_F(RealModeTest, Passes) { EXPECT_THAT(run(guests::add_digits_newline), Halted()); }

TEST_F(RealModeTest, TheImageDoesNotFit) {
  (void)run(guests::add_digits_newline.loaded_at(Gpa{0x7FFFFFFF}));
}

TEST_F(ProtectedModeTest, TheSwitchOfModesIsExpectedToWork) {
  EXPECT_THAT(run(guests::pml4e_not_present), Halted());
}

TEST_F(RealModeTest, FailsBeforeItsRuns) {
  ADD_FAILURE() << "about no run";
  EXPECT_THAT(run(guests::add_digits_newline), Halted());
  EXPECT_THAT(run(guests::add_digits_newline), Halted());
}

TEST_F(RealModeTest, TheFirstOfTwoRunsIsNotAsExpected) {
  const Outcome first = run(guests::add_digits_newline, {.rax = 2, .rbx = 2});
  const Outcome second = run(guests::add_digits_newline, {.rax = 3, .rbx = 3});
  EXPECT_THAT(second, AllOf(Halted(), Wrote(kCom1, "6\n")));
  EXPECT_THAT(first, AllOf(Halted(), Wrote(kCom1, "5\n")));
}

class OverridesTearDown : public RealModeTest {
 protected:
  void TearDown() override {}  // without calling RealModeTest's
};

TEST_F(OverridesTearDown, StillReports) {
  EXPECT_THAT(run(guests::add_digits_newline), TripleFaulted());
}

}  // namespace
