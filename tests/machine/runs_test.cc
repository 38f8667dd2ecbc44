// Each run starts from what the test set up; a rerun goes on from what the last one left.
#include <hltest/hltest.h>

#include "../message_of.h"

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace hltest;
using ::testing::ElementsAre;

// in al, 0x60; add [0x5000], al; inc byte [0x5001]; mov bx, [0x5000]; hlt
const RealModeImage kAdds{
    "adds",
    {0xE4, 0x60, 0x00, 0x06, 0x00, 0x50, 0xFE, 0x06, 0x01, 0x50, 0x8B, 0x1E, 0x00, 0x50, 0xF4}};

TEST_F(RealModeTest, ARunStartsFromWhatTheTestWrote) {
  memory().write<std::uint16_t>(Gpa{0x5000}, 0x0010);
  machine().ports().on_in(0x60, Answers{1, 2, 3});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0111);
  EXPECT_EQ(memory().read<std::uint16_t>(Gpa{0x5000}), 0x0111) << "as the guest left it";
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0111) << "the script and the RAM are from the beginning";
}

TEST_F(RealModeTest, ASecondWriteToAPageKeepsThePagesAfterIt) {
  memory().fill(Gpa{0x5000}, 0x3000, 0x5A);
  memory().write<std::uint8_t>(Gpa{0x5000}, 1);
  // mov al, [0x5000]; mov bl, [0x7fff]; hlt
  const Outcome outcome =
      run(RealModeImage{"reads", {0xA0, 0x00, 0x50, 0x8A, 0x1E, 0xFF, 0x7F, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.al(), 1);
  EXPECT_EQ(outcome.registers.bl(), 0x5A);
}

TEST_F(RealModeTest, ARerunGoesOn) {
  memory().write<std::uint16_t>(Gpa{0x5000}, 0x0010);
  machine().ports().on_in(0x60, Answers{1, 2, 3});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0111);
  EXPECT_EQ(rerun(kAdds).registers.bx(), 0x0213);
  EXPECT_EQ(rerun(kAdds).registers.bx(), 0x0316);
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0111) << "a run is no warm reset";
}

TEST_F(RealModeTest, ARerunBeforeAnyRunIsARun) {
  memory().write<std::uint8_t>(Gpa{0x5000}, 4);
  machine().ports().on_in(0x60, Answers{1});
  EXPECT_EQ(rerun(kAdds).registers.bx(), 0x0105);
}

TEST_F(RealModeTest, WhatTheTestWritesAfterARunIsThereForTheNext) {
  machine().ports().on_in(0x60, Always{1});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0101);
  memory().write<std::uint8_t>(Gpa{0x5000}, 0x20);
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0121);
  memory().write<std::uint8_t>(Gpa{0x5000}, 0x40);
  EXPECT_EQ(rerun(kAdds).registers.bx(), 0x0241) << "the other byte is as the guest left it";
}

TEST_F(RealModeTest, AnOutcomeKeepsItsMemoryThroughLaterRunsAndWrites) {
  machine().ports().on_in(0x60, Always{1});
  const Outcome first = run(kAdds);
  memory().fill(Gpa{0x5000}, 16, 0x55);
  const Outcome second = run(kAdds);
  (void)rerun(kAdds);
  EXPECT_THAT(first.tables().read_physical(Gpa{0x5000}, 3), ElementsAre(1, 1, 0));
  EXPECT_THAT(second.tables().read_physical(Gpa{0x5000}, 3), ElementsAre(0x56, 0x56, 0x55));
}

TEST_F(RealModeTest, AChangedScriptStartsAnew) {
  machine().ports().on_in(0x60, Answers{1});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0101);
  machine().ports().on_in(0x60, Answers{9});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0109);
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0109);
}

// A handler's write is the running guest's alone, but for a test that writes before the next run.
TEST_F(RealModeTest, WhatAHandlerWritesIsGoneInTheNextRun) {
  bool writes = true;
  machine().ports().on_in(0x60, [&](const Access&) {
    if (writes) memory().write<std::uint8_t>(Gpa{0x5000}, 0x30);
    return 1;
  });
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0131);
  writes = false;
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0101);
}

TEST(MachineTest, AMovedFromMachineSaysSo) {
  Machine first{CpuMode::kReal16};
  first.memory().write<std::uint8_t>(Gpa{0x5000}, 7);
  Machine second{std::move(first)};
  EXPECT_EQ(second.memory().read<std::uint8_t>(Gpa{0x5000}), 7);
  // NOLINTBEGIN(bugprone-use-after-move): that is the point
  constexpr const char* kMessage = "this Machine was moved away: use the one that it was moved to";
  EXPECT_EQ(message_of<SetupError>([&] { (void)first.memory(); }), kMessage);
  EXPECT_EQ(message_of<SetupError>([&] { (void)first.run(kAdds); }), kMessage);
  EXPECT_EQ(message_of<SetupError>([&] { first.create_vm(); }), kMessage);
  EXPECT_EQ(message_of<SetupError>([&] { first.set_timeout(std::chrono::seconds{1}); }), kMessage);
  first = std::move(second);
  EXPECT_EQ(first.memory().read<std::uint8_t>(Gpa{0x5000}), 7);
  // NOLINTEND(bugprone-use-after-move)
}

TEST_F(RealModeTest, AMovedMachineRuns) {
  machine().ports().on_in(0x60, Answers{3});
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0103);
  Machine moved{std::move(machine())};
  EXPECT_EQ(moved.run(kAdds).registers.bx(), 0x0103);
  machine() = std::move(moved);
  EXPECT_EQ(run(kAdds).registers.bx(), 0x0103);
}

// KVM refuses a child its parent's VM. The fixture's SetUp has made it before the fork.
TEST_F(RealModeTest, AChildRunsAGuestOfItsOwn) {
  machine().ports().on_in(0x60, Always{5});
  for (int i = 0; i < 2; ++i) {  // with a VM that is new, and with one that has been used
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 1;
      try {
        status = run(kAdds).registers.bx() == 0x0105 ? 0 : 2;
      } catch (const std::exception&) {
      }
      _exit(status);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(run(kAdds).registers.bx(), 0x0105) << "the parent's guest is none the worse";
  }
}

}  // namespace
