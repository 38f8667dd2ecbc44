// The programs this project was asked to run, each with the result that was published for it.
#include <hltest/hltest.h>

#include <chrono>

#include "guests/long_mode.h"
#include "guests/real_mode.h"
#include "guests/real_mode_at_64k.h"
#include "guests/real_mode_warned.h"
#include "guests/switches.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

class AddTwoDigits : public RealModeTest {};

TEST_F(AddTwoDigits, PrintsTheSumAndTheBackslashOfAQuotedNewline) {
  const Outcome outcome = run(guests::add_digits, {.rax = 2, .rbx = 2});

  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, Wrote(kCom1, "4\\"));
  EXPECT_EQ(outcome.registers.al(), 0x5C);
  EXPECT_EQ(outcome.registers.bl(), 2);
  EXPECT_EQ(outcome.registers.dx(), kCom1);
}

TEST_F(AddTwoDigits, MatchesThePublishedListing) {
  EXPECT_EQ(guests::add_digits.load_address(), Gpa{0x1000});
  EXPECT_THAT(guests::add_digits.bytes(), ElementsAreArray({0xBA, 0xF8, 0x03, 0x00, 0xD8, 0x04,
                                                            0x30, 0xEE, 0xB0, 0x5C, 0xEE, 0xF4}));
}

TEST_F(AddTwoDigits, SendsANewlineThatIsInBackquotes) {
  EXPECT_THAT(run(guests::add_digits_newline, {.rax = 2, .rbx = 2}), Wrote(kCom1, "4\n"));
}

TEST_F(RealModeTest, CountsToAPortUntilItWasWrittenSixTimes) {
  machine().set_memory_size(256 * kMiB);
  for (Given<Segment>* const segment :
       {&machine().registers().cs, &machine().registers().ds, &machine().registers().es,
        &machine().registers().fs, &machine().registers().gs, &machine().registers().ss}) {
    (*segment)->base = Gva{0x10000};
  }
  machine().ports().stop_after_writes(0xFF, 6);

  const Outcome outcome = run(guests::count_to_port, {.rip = 0});

  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_THAT(outcome, WroteValues(0xFF, ElementsAre(0, 1, 2, 3, 4, 5)));
  for (const Access& write : outcome.ports.writes(0xFF)) EXPECT_EQ(write.size, 2);
  EXPECT_EQ(outcome.registers.ax(), 5);
  EXPECT_EQ(outcome.registers.cs.selector, 0);
  EXPECT_EQ(outcome.registers.cs.base, Gva{0x10000});
  EXPECT_EQ(outcome.registers.rip, 4U) << "the OUT is done: RIP is behind it";
}

TEST_F(LongModeTest, SeesTheSpecialRegistersThatTheHostSet) {
  const Outcome outcome = run(guests::special_registers, {.rbx = 0x12345678});

  ASSERT_THAT(outcome, Halted());
  const Registers& seen = outcome.registers;
  EXPECT_EQ(seen.r8, Cr0::kPe | Cr0::kMp | Cr0::kEt | Cr0::kNe | Cr0::kWp | Cr0::kPg);
  EXPECT_EQ(seen.r9, (kSystemRegion + kPageTablesOffset).value());
  EXPECT_EQ(seen.r10, Cr4::kPae | Cr4::kOsfxsr | Cr4::kOsxmmexcpt);
  EXPECT_EQ(seen.r11, Efer::kLme | Efer::kLma | Efer::kNxe);
  EXPECT_EQ(seen.r12, kCode64Selector);
  EXPECT_EQ(seen.rdi, 0x1234567812345678U);
}

TEST_F(RealModeTest, ConsistsOfAPortReadAPortWriteAndAHalt) {
  machine().ports().on_in(0x60, Answers{0x41});

  const Outcome outcome = run(guests::read_write_halt);

  EXPECT_THAT(outcome.accesses,
              ElementsAre(Access::in(0x60, 1, 0x41), Access::out(kDebugConsole, 1, 0x42)));
  EXPECT_EQ(to_string(outcome.accesses[0]), "in 0x60, byte 0x41");
  EXPECT_EQ(to_string(outcome.accesses[1]), "out 0xe9, byte 0x42");
  EXPECT_THAT(outcome, Halted());
}

TEST_F(RealModeTest, GoesFromRealModeThroughProtectedModeToLongMode) {
  const Outcome outcome = run(guests::real_to_long);

  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, Wrote(kCom1, "RPL"));
  EXPECT_EQ(outcome.start_mode(), CpuMode::kReal16);
  EXPECT_EQ(outcome.mode, CpuMode::kLong64);
  EXPECT_TRUE(outcome.registers.cr0.pe());
  EXPECT_TRUE(outcome.registers.cr0.pg());
  EXPECT_TRUE(outcome.registers.cr4.pae());
  EXPECT_TRUE(outcome.registers.efer.lma());
  EXPECT_TRUE(outcome.registers.cs.l);
  EXPECT_EQ(outcome.registers.cr3.table(), Gpa{0x8000});
}

}  // namespace
