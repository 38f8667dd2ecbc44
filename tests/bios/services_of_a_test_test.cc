// `Machine::on_interrupt`: services of a test's own, in every mode.
#include <hltest/hltest.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::SizeIs;

using ServicesTest = RealModeTest;

// mov ah, 2; int 0x21; mov bx, ax; hlt
const RealModeImage kCallsDos{"dos", {0xB4, 0x02, 0xCD, 0x21, 0x89, 0xC3, 0xF4}};

TEST_F(ServicesTest, ChangesRegistersAndTheGuestGoesOn) {
  machine().on_interrupt(Vector{0x21}, [](Registers& registers) {
    EXPECT_EQ(registers.ah(), 2);
    EXPECT_EQ(registers.ip(), 0x1004) << "after the INT";
    registers.set_ax(0x1234);
  });
  const Outcome outcome = run(kCallsDos);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 0x1234);
  ASSERT_THAT(outcome.bios_calls(), SizeIs(1));
  EXPECT_EQ(outcome.bios_calls().front().before.ah(), 2);
  EXPECT_EQ(outcome.bios_calls().front().after.ax(), 0x1234);
  EXPECT_EQ(to_string(outcome.bios_calls().front()), "INT 21h, AX = 0200h");
}

TEST_F(ServicesTest, SeesTheGuestsMemoryAndIsInTheLog) {
  machine().on_interrupt(Vector{0x21}, [](Registers&, GuestView& guest) {
    guest.memory().write<std::uint8_t>(Gpa{0x5000}, 7);
  });
  const Outcome outcome = run(kCallsDos);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x5000}), 7);
  ASSERT_THAT(outcome.accesses, SizeIs(1));
  EXPECT_EQ(outcome.accesses[0].space, Space::kInterrupt);
  EXPECT_EQ(to_string(outcome.accesses[0]), "int 0x21, eax 0x200");
  ASSERT_THAT(outcome.accesses.memory_writes(), SizeIs(1));
  EXPECT_TRUE(outcome.ports.empty());
}

TEST_F(ServicesTest, TheLastThatWasAddedIsAskedFirst) {
  std::vector<int> asked;
  machine().on_interrupt(Vector{0x21}, [&](Registers&) { asked.push_back(1); });
  machine().on_interrupt(Vector{0x21}, [&](Registers&) {
    asked.push_back(2);
    return false;
  });
  machine().on_interrupt(Vector{0x22}, [&](Registers&) { asked.push_back(3); });
  EXPECT_THAT(run(kCallsDos), Halted());
  EXPECT_THAT(asked, ElementsAre(2, 1));
}

TEST_F(ServicesTest, WhatNoneServesEndsTheRun) {
  machine().on_interrupt(Vector{0x21}, [](Registers&) { return false; });
  const Outcome outcome = run(kCallsDos);
  EXPECT_THAT(outcome, CalledInterrupt(0x21));
  EXPECT_TRUE(outcome.bios_calls().empty());
}

TEST_F(ServicesTest, CanEndTheRun) {
  machine().on_interrupt(Vector{0x21}, [](ServiceCall& call, GuestView& guest) {
    call.name = "exit";
    guest.stop("the program ended");
    return true;
  });
  const Outcome outcome = run(kCallsDos);
  EXPECT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(outcome.registers.ip(), 0x1004);
  EXPECT_EQ(to_string(outcome.bios_calls().front()), "INT 21h, AX = 0200h: exit");
}

TEST_F(ServicesTest, AnEmptyFunctionIsRefused) {
  EXPECT_EQ(message_of<SetupError>([this] {
              machine().on_interrupt(Vector{0x21}, std::function<void(Registers&)>{});
            }),
            "on_interrupt(0x21): the function is empty");
}

// A fault is a call too: what moves RIP on emulates the instruction.
template <typename Fixture>
class ServedFaults : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(ServedFaults, Fixtures);

TYPED_TEST(ServedFaults, GoOnAfterwards) {
  this->machine().on_interrupt(Vector::kInvalidOpcode, [](Registers& registers) {
    registers.rip += 2;
    registers.rbx = 5;
  });
  const Outcome outcome = this->run(Image<image_mode(TypeParam::kMode)>{"ud2", {0x0F, 0x0B, 0xF4}});
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rbx, 5U);
}

TYPED_TEST(ServedFaults, AreReplayed) {
  this->machine().on_interrupt(Vector::kInvalidOpcode, [](Registers& registers) {
    registers.rip += 2;
    registers.rax = registers.rdx = 0;
    registers.rbx = 0;
  });
  // ud2; div ebx
  const Outcome outcome =
      this->run(Image<image_mode(TypeParam::kMode)>{"div", {0x0F, 0x0B, 0xF7, 0xF3}});
  ASSERT_THAT(outcome, Raised(DivideError()));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_THAT(diagnosis.history, SizeIs(1));
}

// sti; hlt; inc cx; jmp to the HLT, with a handler at 0x2000 that counts in BX.
class InterruptsTest : public RealModeTest {
 protected:
  InterruptsTest() {
    memory().write<std::array<std::uint16_t, 2>>(Gpa{0x20 * 4}, {0x2000, 0});
    memory().write_bytes(Gpa{0x2000}, std::vector<std::uint8_t>{0x43, 0xCF});  // inc bx; iret
  }
  const RealModeImage waits_{"waits", {0xFB, 0xF4, 0x41, 0xEB, 0xFC}};
};

TEST_F(InterruptsTest, ComeAtEachHlt) {
  machine().interrupt(Vector{0x20}, AtHalts{3});
  const Outcome outcome = run(waits_);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 3);
  EXPECT_EQ(outcome.registers.cx(), 3) << "the fourth HLT is the end";
  EXPECT_EQ(run(waits_).registers.bx(), 3) << "in each run";
  machine().interrupt(Vector{0x20});
  EXPECT_EQ(run(waits_).registers.bx(), 1) << "in place of the three";
}

TEST_F(InterruptsTest, DoNotComeWhileTheyAreDisabled) {
  machine().interrupt(Vector{0x20});
  const Outcome outcome = run(RealModeImage{"cli", {0xFA, 0xF4}});
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 0);
}

TEST_F(InterruptsTest, AreReplayed) {
  machine().interrupt(Vector{0x20}, AtHalts{2});
  // sti; hlt; hlt; xor dx, dx; div dx
  const Outcome outcome = run(RealModeImage{"div", {0xFB, 0xF4, 0xF4, 0x31, 0xD2, 0xF7, 0xF2}});
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.registers.bx(), 2);
  EXPECT_EQ(diagnose(outcome).not_replayed, "");
}

TEST_F(InterruptsTest, ZeroTimesIsRefused) {
  EXPECT_EQ(message_of<SetupError>([this] { machine().interrupt(Vector{0x20}, AtHalts{0}); }),
            "interrupt(0x20): 0 times is never");
}

// A handler in protected mode, by a gate of the test's.
TEST_F(ProtectedModeTest, AnInterruptReachesAHandlerOfTheGuests) {
  machine().interrupt(Vector{0x20});
  machine().set_gate(Vector{0x20}, InterruptGate32{.selector = kCode32Selector, .offset = 0x2000});
  memory().write_bytes(Gpa{0x2000}, std::vector<std::uint8_t>{0x43, 0xF4});  // inc ebx; hlt
  const Outcome outcome = run(ProtectedModeImage{"waits", {0xFB, 0xF4}});
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ebx(), 1U);
}

}  // namespace
