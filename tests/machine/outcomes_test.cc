// What else can end a run: triple faults, missing memory, what the host can't do.
#include <hltest/hltest.h>

#include "guests/protected_mode.h"
#include "guests/real_mode.h"

namespace {

using namespace hltest;

TEST_F(ProtectedModeTest, TripleFaultIsAnOutcome) {
  const Outcome outcome = run(guests::triple_fault);
  ASSERT_THAT(outcome, TripleFaulted());
  // Some hosts reset the vCPU first; the outcome says which it was.
  if (outcome.registers_are_lost()) {
    EXPECT_EQ(outcome.mode, std::nullopt);
    EXPECT_NE(describe(outcome.stop).find("registers are gone"), std::string::npos);
  } else {
    EXPECT_EQ(outcome.registers.eip(), 0x1007U);
    EXPECT_EQ(outcome.mode, CpuMode::kProtected32);
  }
}

TEST_F(ProtectedModeTest, JumpToWhereThereIsNoMemory) {
  const Outcome outcome = run(guests::jump_to_nowhere);
  ASSERT_THAT(outcome, FetchedUnbackedMemory()) << outcome;
  EXPECT_EQ(std::get<UnbackedFetch>(outcome.stop).gpa, Gpa{0xE0000000});
  EXPECT_EQ(outcome.stop_address(), Gva{0xE0000000});
  EXPECT_NE(report(outcome).find("no memory: fetch from physical\n  address 0xe0000000"),
            std::string::npos);
}

TEST_F(ProtectedModeTest, AMissingHltIsHintedAt) {
  // mov eax, 1; jmp to 0x2000, where a UD2 is
  memory().write<std::uint16_t>(Gpa{0x2000}, 0x0B0F);
  const Outcome outcome =
      run(ProtectedModeImage{"runs_on", {0xB8, 1, 0, 0, 0, 0xE9, 0xF6, 0x0F, 0, 0}});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_TRUE(outcome.stopped_outside_image());
  EXPECT_THAT(report(outcome),
              ::testing::HasSubstr("outside the image, which is at 0x1000-0x1009\n"
                                   "the last instruction in the image: `jmp 0x2000` at 0x1005\n"));
  Diagnosis without_replay = diagnose(outcome);
  without_replay.left_image_at.reset();
  EXPECT_THAT(to_text(without_replay),
              ::testing::HasSubstr("outside the image, which is at 0x1000-0x1009: does it end in "
                                   "HLT?"));
}

TEST_F(LongModeTest, CodeAtAMappedAddressIsInTheImage) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x1000}});
  const Outcome outcome = run(LongModeImage{"ud2", {0x0F, 0x0B}}.entered_at(Gva{0x40000000}));
  EXPECT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_FALSE(outcome.stopped_outside_image());
}

// The outcome is a value: it outlives the machine that made it.
TEST(OutcomeTest, OutlivesItsMachine) {
  std::optional<Outcome> outcome;
  {
    Machine machine{CpuMode::kReal16};
    try {
      outcome = machine.run(guests::add_digits_newline, {.rax = 3, .rbx = 4});
    } catch (const KvmUnavailable& unavailable) {
      GTEST_SKIP() << unavailable.what();
    }
  }
  EXPECT_THAT(*outcome, ::testing::AllOf(Halted(), Wrote(kCom1, "7\n")));
  EXPECT_NE(report(*outcome).find("hlt"), std::string::npos);
}

TEST_F(RealModeTest, ARerunIsAWarmReset) {
  const Outcome first = run(guests::stack_and_data);
  memory().write<std::uint32_t>(Gpa{0x5000}, 0xCAFE);
  const Outcome second = rerun(guests::add_digits_newline, {.rax = 1, .rbx = 2});

  EXPECT_THAT(first, Halted());
  EXPECT_THAT(second, ::testing::AllOf(Halted(), Wrote(kCom1, "3\n")));
  EXPECT_EQ(second.accesses.size(), 2U) << "the logs begin anew";
  EXPECT_EQ(second.registers.cx(), 0);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x5000}), 0xCAFEU) << "RAM stays";
}

TEST_F(RealModeTest, ATestThatNeverRunsIsFine) { EXPECT_EQ(memory().size(), 16 * kMiB); }

TEST(StopReasonTest, EveryReasonHasANameAndWords) {
  const std::vector<std::pair<StopReason, std::string>> reasons = {
      {Halt{}, "halted: halted"},
      {Exception{.vector = Vector::kPageFault, .error_code = 2, .address = Gva{0x1000}},
       "exception: #PF (page fault, vector 14, error code 0x2: write, supervisor, not present) on "
       "address 0x1000"},
      {Exception{.vector = Vector{0x21}, .software = true},
       "exception: software interrupt (INT 0x21)"},
      {Exception{.vector = Vector{0x21}}, "exception: vector 0x21 (interrupt, vector 33)"},
      {TripleFault{}, "triple_fault: triple fault"},
      {Timeout{std::chrono::milliseconds{20}}, "timed_out: timed out: still running after 20 ms"},
      {ConditionMet{"port 0xff was written 6 times"},
       "condition_met: stopped: port 0xff was written 6 times"},
      {UnbackedFetch{Gpa{0xE0000000}},
       "unbacked_fetch: executed where there is no memory: fetch from physical address 0xe0000000"},
      {HostLimit{.instruction = "popcnt ax, bx", .bytes = {0xF3, 0x0F, 0xB8, 0xC3}},
       "host_limit: this host's KVM can't execute `popcnt ax, bx` (f3 0f b8 c3)"},
      {HostLimit{},
       "host_limit: this host's KVM can't execute an instruction that could not be read"},
      {InternalError{.suberror = 3, .data = {1, 0xFF}},
       "internal_error: KVM internal error, suberror 3 (delivery of an event), data 0x1 0xff"},
      {EntryFailure{0x80000021},
       "entry_failure: the hardware refused to enter the guest (KVM_EXIT_FAIL_ENTRY, hardware "
       "reason 0x80000021): check the segments and control registers that the test set"},
      {UnknownExit{24}, "unknown_exit: unexpected exit: KVM_EXIT_SYSTEM_EVENT"},
      {UnknownExit{99}, "unknown_exit: unexpected exit: KVM exit reason 99"},
  };
  for (const auto& [reason, words] : reasons) {
    EXPECT_EQ(name(reason) + ": " + describe(reason), words);
  }
}

}  // namespace
