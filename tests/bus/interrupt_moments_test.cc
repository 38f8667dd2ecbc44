// When `machine().interrupt` and `nmi` interrupt a guest.
#include <hltest/hltest.h>

#include <array>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr Vector kVector{0x20};

// A guest of real mode whose handler for vectors 2 and 20h, at 0x1040, keeps the CX that it finds
// in [0x5000], and counts in [0x5002].
class InterruptMomentsTest : public RealModeTest {
 protected:
  InterruptMomentsTest() {
    for (const Vector vector : {kVector, Vector::kNonMaskableInterrupt}) {
      machine().set_gate(vector, IvtEntry{.cs = 0, .ip = 0x1040});
    }
    machine().registers().rflags = Rflags{Rflags::kFixed | Rflags::kIf};
  }
  static RealModeImage guest(std::vector<std::uint8_t> code) {
    code.resize(0x40, 0x90);
    // mov [0x5000], cx; inc word [0x5002]; iret
    code.insert(code.end(), {0x89, 0x0E, 0x00, 0x50, 0xFF, 0x06, 0x02, 0x50, 0xCF});
    return {"moments", code};
  }
  unsigned count() { return memory().read<std::uint16_t>(Gpa{0x5002}); }
  unsigned cx() { return memory().read<std::uint16_t>(Gpa{0x5000}); }
};

// nop; inc cx (ten times); hlt
const std::vector<std::uint8_t> kTenIncrements = {0x90, 0x41, 0x41, 0x41, 0x41, 0x41,
                                                  0x41, 0x41, 0x41, 0x41, 0x41, 0xF4};

TEST_F(InterruptMomentsTest, AfterEachNumberOfInstructions) {
  for (std::uint64_t instructions = 2; instructions <= 11; ++instructions) {
    machine().interrupt(kVector, AfterInstructions{instructions});
    const Outcome outcome = run(guest(kTenIncrements));
    ASSERT_THAT(outcome, Halted()) << report(outcome);
    EXPECT_EQ(outcome.registers.cx(), 10U);
    EXPECT_EQ(count(), 1U);
    EXPECT_EQ(cx(), instructions - 1) << "the first is a NOP";
  }
}

// The instruction after STI is still executed (SDM vol. 2, STI).
TEST_F(InterruptMomentsTest, WaitsForTheInstructionAfterSti) {
  machine().registers().rflags = Rflags{Rflags::kFixed};
  std::vector<std::uint8_t> code = kTenIncrements;
  code[0] = 0xFB;
  for (const std::uint64_t instructions : {0U, 1U}) {
    machine().interrupt(kVector, AfterInstructions{instructions});
    EXPECT_THAT(run(guest(code)), Halted());
    EXPECT_EQ(count(), 1U);
    EXPECT_EQ(cx(), 1U);
  }
}

TEST_F(InterruptMomentsTest, AfterMoreInstructionsThanThereAreIsNever) {
  machine().interrupt(kVector, AfterInstructions{100});
  EXPECT_THAT(run(guest(kTenIncrements)), Halted());
  EXPECT_EQ(count(), 0U);
}

TEST_F(InterruptMomentsTest, AtAnAddressTheFirstTime) {
  // sti; mov cx, 3; 1004: nop; loop 1004; hlt
  const RealModeImage loop = guest({0xFB, 0xB9, 3, 0, 0x90, 0xE2, 0xFD, 0xF4});
  machine().interrupt(kVector, AtAddress{Gva{0x1004}});
  const Outcome outcome = run(loop);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(cx(), 3U);
  machine().interrupt(kVector, AtAddress{Gva{0x1007}});
  EXPECT_THAT(run(loop), Halted());
  EXPECT_EQ(cx(), 0U) << "before the HLT";
  machine().interrupt(kVector, AtAddress{Gva{0x1020}});
  EXPECT_THAT(run(loop), Halted());
  EXPECT_EQ(count(), 0U) << "it never comes there";
}

TEST_F(InterruptMomentsTest, OnACondition) {
  machine().interrupt(kVector, When{[](GuestView& view) { return view.registers().cx() == 7; }});
  EXPECT_THAT(run(guest(kTenIncrements)), Halted());
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(cx(), 7U);
}

TEST_F(InterruptMomentsTest, AfterAccesses) {
  // sti; out 0x80, al; inc cx; out 0x80, al; inc cx; nop; hlt
  const RealModeImage outs = guest({0xFB, 0xE6, 0x80, 0x41, 0xE6, 0x80, 0x41, 0x90, 0xF4});
  for (const std::uint64_t accesses : {1U, 2U}) {
    machine().interrupt(kVector, AfterAccesses{accesses});
    EXPECT_THAT(run(outs), Halted());
    EXPECT_EQ(count(), 1U);
    EXPECT_EQ(cx(), accesses - 1);
  }
  machine().interrupt(kVector, AfterAccesses{0});
  EXPECT_THAT(run(outs), Halted());
  EXPECT_EQ(count(), 1U);
  machine().interrupt(kVector, AfterAccesses{3});
  EXPECT_THAT(run(outs), Halted());
  EXPECT_EQ(count(), 0U);
}

TEST_F(InterruptMomentsTest, AnNmiComesWithInterruptsDisabled) {
  std::vector<std::uint8_t> disabled = kTenIncrements;
  disabled[0] = 0xFA;  // cli
  machine().nmi(AfterInstructions{4});
  EXPECT_THAT(run(guest(disabled)), Halted());
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(cx(), 3U);
  machine().nmi(AtAddress{Gva{0x1006}});
  EXPECT_THAT(run(guest(disabled)), Halted());
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(cx(), 5U);
}

TEST_F(InterruptMomentsTest, AnNmiWakesFromAHltWithInterruptsDisabled) {
  // cli; hlt; inc cx; hlt; inc cx; hlt
  machine().nmi(AtHalts{2});
  const Outcome outcome = run(guest({0xFA, 0xF4, 0x41, 0xF4, 0x41, 0xF4}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cx(), 2U);
  EXPECT_EQ(count(), 2U);
  // Another interrupt does not.
  machine().nmi(AfterInstructions{1000});
  machine().interrupt(kVector);
  EXPECT_EQ(run(guest({0xFA, 0xF4, 0x41, 0xF4})).registers.cx(), 0U);
}

// A service has no IRET, which would let the next NMI in.
TEST_F(RealModeTest, NmisThatAServiceTakesComeAgain) {
  unsigned served = 0;
  machine().on_interrupt(Vector::kNonMaskableInterrupt, [&served](Registers&) { ++served; });
  machine().nmi(AtHalts{3});
  // hlt; hlt; hlt; inc cx; hlt
  const Outcome outcome = run(RealModeImage{"nmis", {0xF4, 0xF4, 0xF4, 0x41, 0xF4}});
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cx(), 1U);
  EXPECT_EQ(served, 3U);
}

TEST_F(InterruptMomentsTest, SeveralVectorsHaveTheirMoments) {
  machine().interrupt(kVector, AtAddress{Gva{0x1003}});
  machine().nmi(AfterInstructions{8});
  const Outcome outcome = run(guest(kTenIncrements));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(count(), 2U);
  ASSERT_EQ(outcome.accesses.interrupts().size(), 2U);
  EXPECT_EQ(outcome.accesses.interrupts()[0].vector, kVector);
  EXPECT_EQ(outcome.accesses.interrupts()[1].vector, Vector::kNonMaskableInterrupt);
}

TEST_F(InterruptMomentsTest, EachRunHasThemAgain) {
  machine().interrupt(kVector, AtAddress{Gva{0x1003}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(run(guest(kTenIncrements)), Halted());
    EXPECT_EQ(count(), 1U);
  }
}

// The flags that INT pushes while the guest is stepped have no TF, nor has the interrupt's frame.
TEST_F(InterruptMomentsTest, SteppingLeavesNoTrapFlagBehind) {
  // sti; int 0x30; nop; nop; hlt; 0x30's handler at 0x1020: pop ax, pop bx, pop dx; push dx, push
  // bx, push ax; nop; nop; iret
  std::vector<std::uint8_t> code = {0xFB, 0xCD, 0x30, 0x90, 0x90, 0xF4};
  code.resize(0x20, 0x90);
  code.insert(code.end(), {0x58, 0x5B, 0x5A, 0x52, 0x53, 0x50, 0x90, 0x90, 0xCF});
  machine().set_gate(Vector{0x30}, IvtEntry{.cs = 0, .ip = 0x1020});
  machine().interrupt(kVector, AfterInstructions{6});
  const Outcome outcome = run(guest(code));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.dx() & Rflags::kTf, 0U);
  EXPECT_FALSE(outcome.registers.rflags.tf());
}

// Stepping uses TF itself: a guest that sets it runs natively from there on.
TEST_F(InterruptMomentsTest, AGuestThatSetsTfIsNotSteppedAnyMore) {
  machine().interrupt(kVector, AfterInstructions{7});
  // pushf; pop ax; or ah, 1; push ax; popf; inc cx (four times); hlt
  const Outcome outcome =
      run(guest({0x9C, 0x58, 0x80, 0xCC, 1, 0x50, 0x9D, 0x41, 0x41, 0x41, 0x41, 0xF4}));
  ASSERT_NE(outcome.exception(), nullptr) << report(outcome);
  EXPECT_EQ(outcome.exception()->vector, Vector::kDebug) << "its own single step";
  EXPECT_EQ(count(), 0U);
}

std::string instructions_of(const Diagnosis& diagnosis) {
  std::string lines;
  for (const HistoryStep& step : diagnosis.history) lines += step.instruction + "\n";
  return lines;
}

// A fault after it is found by a second run, in which the interrupt comes at the same instruction.
TEST_F(InterruptMomentsTest, AreReplayed) {
  std::vector<std::uint8_t> code = kTenIncrements;
  code.back() = 0x0F;
  code.push_back(0x0B);  // ud2
  for (const InterruptMoment& moment : std::array<InterruptMoment, 3>{
           AfterInstructions{5}, AtAddress{Gva{0x1005}},
           When{[](GuestView& view) { return view.registers().cx() == 4; }}}) {
    machine().interrupt(kVector, moment);
    const Outcome outcome = run(guest(code));
    ASSERT_THAT(outcome, Raised(InvalidOpcode{}));
    EXPECT_EQ(cx(), 4U);
    const Diagnosis diagnosis = diagnose(outcome);
    EXPECT_EQ(diagnosis.not_replayed, "");
    EXPECT_THAT(instructions_of(diagnosis),
                HasSubstr("inc cx\nmov [0x5000], cx\ninc [0x5002]\niret\ninc cx"));
  }
}

// A service that took one of them was no instruction.
TEST_F(InterruptMomentsTest, AreReplayedAfterAService) {
  std::vector<std::uint8_t> code = kTenIncrements;
  code.back() = 0x0F;
  code.push_back(0x0B);  // ud2
  machine().on_interrupt(Vector{0x30}, [](Registers& registers) { registers.rdx = 1; });
  machine().interrupt(Vector{0x30}, AfterInstructions{3});
  machine().interrupt(kVector, AfterInstructions{7});
  const Outcome outcome = run(guest(code));
  ASSERT_THAT(outcome, Raised(InvalidOpcode{}));
  EXPECT_EQ(cx(), 6U);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_THAT(instructions_of(diagnosis),
              HasSubstr("inc cx\nmov [0x5000], cx\ninc [0x5002]\niret\ninc cx"));
}

TEST_F(InterruptMomentsTest, AConditionCanEndTheRun) {
  machine().interrupt(kVector, When{[](GuestView& view) {
                        if (view.registers().cx() == 5) view.stop("CX is 5");
                        return false;
                      }});
  const Outcome outcome = run(guest(kTenIncrements));
  EXPECT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(outcome.registers.cx(), 5U);
}

TEST_F(InterruptMomentsTest, WhatMakesNoSenseIsRefused) {
  const auto message = [this](auto moment) {
    return message_of<SetupError>([&] {
      machine().interrupt(kVector, moment);
      static_cast<void>(run(guest(kTenIncrements)));
    });
  };
  EXPECT_EQ(message(AtHalts{0}), "interrupt(0x20): 0 times is never");
  EXPECT_EQ(message(When{}), "interrupt(0x20): the condition is empty");
  EXPECT_EQ(message(AtLabel{"start"}),
            "interrupt(0x20) at the label 'start': moments has no such label");
  for (unsigned vector = 0x20; vector < 0x25; ++vector) {
    machine().interrupt(static_cast<Vector>(vector), AtAddress{Gva{0x1000 + vector}});
  }
  EXPECT_EQ(message_of<SetupError>([this] { static_cast<void>(run(guest({0xF4}))); }),
            "interrupts at 5 addresses: a processor has breakpoints for 4");
}

template <typename Fixture>
class MomentsInEveryMode : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(MomentsInEveryMode, Fixtures);

// nop (four times); hlt: an NMI is the end, in the framework's handler.
TYPED_TEST(MomentsInEveryMode, AnNmiEndsWhereItCame) {
  const std::array<InterruptMoment, 2> moments = {AfterInstructions{2}, AtAddress{Gva{0x1002}}};
  for (const InterruptMoment& moment : moments) {
    this->machine().nmi(moment);
    const Outcome outcome =
        this->run(Image<TypeParam::kMode>{"nops", {0x90, 0x90, 0x90, 0x90, 0xF4}});
    ASSERT_NE(outcome.exception(), nullptr) << report(outcome);
    EXPECT_EQ(outcome.exception()->vector, Vector::kNonMaskableInterrupt);
    EXPECT_EQ(outcome.exception()->rip, 0x1002U);
  }
}

}  // namespace
