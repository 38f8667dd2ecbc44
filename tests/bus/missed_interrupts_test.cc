// The test's interrupts that do not come are told, also of a guest that halted.
#include <hltest/hltest.h>

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Vector kVector{0x20};

// nop; inc cx (ten times); hlt
Outcome run_increments(Machine& machine) {
  return machine.run(FlatImage{
      "increments", {0x90, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0xF4}});
}

class MissedInterruptsTest : public RealModeTest {};

TEST_F(MissedInterruptsTest, AreTold) {
  const auto told = [](const InterruptMoment& moment) {
    Machine machine{CpuMode::kReal16};
    machine.interrupt(kVector, moment);
    return diagnose(run_increments(machine)).findings;
  };
  const std::string begin = "the test's interrupt 0x20 did not come: it was wanted ";
  EXPECT_THAT(told(AtHalts{2}), ElementsAre(begin + "at 2 further HLTs with interrupts enabled"));
  EXPECT_THAT(told(AtAddress{Gva{0x1234}}),
              ElementsAre(begin + "at 0x1234, where the guest did not get to"));
  EXPECT_THAT(told(AfterAccesses{3}), ElementsAre(begin + "after 3 accesses"));
  EXPECT_THAT(told(AfterInstructions{1000}), ElementsAre(begin + "after 1000 instructions"));
  EXPECT_THAT(told(When{[](GuestView&) { return false; }}),
              ElementsAre(begin + "on a condition that was never true"));
  EXPECT_THAT(
      told(AfterInstructions{2}),
      ElementsAre("the test's interrupt 0x20 was requested, and the guest could not take it "
                  "until its end"))
      << "IF is 0";
}

TEST_F(MissedInterruptsTest, OneThatComesIsNotTold) {
  machine().registers().rflags = Rflags{Rflags::kFixed | Rflags::kIf};
  machine().on_interrupt(kVector, [](Registers&) {});
  machine().interrupt(kVector, AfterInstructions{2});
  EXPECT_THAT(diagnose(run_increments(machine())).findings, IsEmpty());
}

}  // namespace
