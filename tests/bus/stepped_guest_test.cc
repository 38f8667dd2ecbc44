// A guest that is stepped until an interrupt's moment comes runs as one that is not.
#include <hltest/hltest.h>

namespace {

using namespace hltest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Code = std::vector<std::uint8_t>;

// Steps the guest to its end: the moment never comes.
constexpr AfterInstructions kNever{1'000'000};

class SteppedRealModeTest : public RealModeTest {
 protected:
  void set_handler(Vector vector, std::uint16_t ip) {
    machine().set_gate(vector, IvtEntry{.cs = 0, .ip = ip});
  }
};

class SteppedModesTest : public ::testing::TestWithParam<CpuMode> {
 protected:
  Outcome run(const Code& code) { return machine_.run(FlatImage{"stepped", code}); }
  Machine machine_{GetParam()};
};

// nop; ud2
TEST_P(SteppedModesTest, AnExceptionHasNoTrapFlag) {
  machine_.nmi(kNever);
  const Outcome outcome = run({0x90, 0x0F, 0x0B});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_FALSE(outcome.registers.rflags.tf()) << report(outcome);
}

// sti; hlt. An interrupt pushes no error code, whatever its vector (SDM vol. 3, 6.13).
TEST_P(SteppedModesTest, AnInterruptWithAnExceptionsVectorIsNone) {
  for (const Vector vector :
       {Vector::kDoubleFault, Vector::kGeneralProtection, Vector::kPageFault}) {
    Machine machine{GetParam()};
    machine.interrupt(vector, AtHalts{});
    const Outcome outcome = machine.run(FlatImage{"halts", {0xFB, 0xF4}});
    ASSERT_NE(outcome.exception(), nullptr);
    EXPECT_EQ(outcome.exception()->vector, vector);
    EXPECT_EQ(outcome.exception()->error_code, std::nullopt);
    EXPECT_EQ(outcome.exception()->address, std::nullopt);
    EXPECT_EQ(outcome.stop_address(), Gva{outcome.image->load_address().value() + 2});
    EXPECT_EQ(outcome.mode, GetParam());
    const std::string cause = diagnose(outcome).cause;
    EXPECT_THAT(cause, ::testing::HasSubstr("a device or the test requested it"));
    EXPECT_EQ(cause.find("is an exception's") != std::string::npos, GetParam() != CpuMode::kReal16);
  }
}

// nop (four times); hlt; nop; hlt
TEST_P(SteppedModesTest, InterruptsThatAreDueTogetherComeTogether) {
  constexpr unsigned kInterrupts = 4;
  const Gva base{FlatImage{"", {}}.load_address().value()};
  const Code code{0x90, 0x90, 0x90, 0x90, 0xF4, 0x90, 0xF4};
  for (const auto& [moment, address] :
       {std::pair<InterruptMoment, Gva>{AfterInstructions{3}, base + 3},
        std::pair<InterruptMoment, Gva>{AtAddress{base + 3}, base + 3},
        std::pair<InterruptMoment, Gva>{AtHalts{}, base + 5}}) {
    Machine machine{GetParam()};
    machine.registers().rflags = Rflags{Rflags::kFixed | Rflags::kIf};
    std::vector<Gva> came_at;
    for (unsigned i = 0; i < kInterrupts; ++i) {
      const Vector vector{static_cast<std::uint8_t>(0x20 + i)};
      machine.on_interrupt(vector, [&came_at](Registers& registers) {
        came_at.push_back(registers.code_address());
      });
      machine.interrupt(vector, moment);
    }
    EXPECT_THAT(machine.run(FlatImage{"together", code}), Halted());
    EXPECT_THAT(came_at, SizeIs(kInterrupts));
    EXPECT_THAT(came_at, Each(address));
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, SteppedModesTest,
                         ::testing::Values(CpuMode::kReal16, CpuMode::kProtected32,
                                           CpuMode::kLong64),
                         [](const auto& mode) { return to_string(mode.param); });

// xor cx, cx; div cx; hlt. The handler: mov bp, sp; mov ax, [bp+4]; add word [bp], 2; iret
TEST_F(SteppedRealModeTest, AHandlerFindsNoTrapFlagInItsFrame) {
  set_handler(Vector::kDivideError, 0x1005);
  machine().nmi(kNever);
  const Outcome outcome = run(RealModeImage{
      "divides",
      {0x31, 0xC9, 0xF7, 0xF1, 0xF4, 0x89, 0xE5, 0x8B, 0x46, 0x04, 0x83, 0x46, 0x00, 0x02, 0xCF}});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.ax(), 0x46);
}

// mov al, [handler]; mov si, handler; mov di, 2000h; mov cx, 4; rep movsb; mov byte [handler], 41h;
// hlt. The handler: nop (four times). Stepping puts breakpoints there on some KVMs.
TEST_F(SteppedRealModeTest, AGuestReadsAndWritesItsHandlerAsItIs) {
  constexpr std::uint16_t kHandler = 0x1014;
  set_handler(Vector::kDivideError, kHandler);
  machine().nmi(kNever);
  const Outcome outcome = run(RealModeImage{
      "handler", {0xA0, 0x14, 0x10, 0xBE, 0x14, 0x10, 0xBF, 0x00, 0x20, 0xB9, 0x04, 0x00,
                  0xF3, 0xA4, 0xC6, 0x06, 0x14, 0x10, 0x41, 0xF4, 0x90, 0x90, 0x90, 0x90}});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.al(), 0x90);
  EXPECT_THAT(memory().read_bytes(Gpa{0x2000}, 4), Each(0x90));
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{kHandler}), 0x41);
}

// The same with a handler that pushes first: push bp; mov bp, sp; mov ax, [bp+6]; add word [bp+2],
// 2; pop bp; iret
TEST_F(SteppedRealModeTest, NorDoesAHandlerThatPushes) {
  set_handler(Vector::kDivideError, 0x1005);
  machine().nmi(kNever);
  const Outcome outcome = run(RealModeImage{"divides",
                                            {0x31, 0xC9, 0xF7, 0xF1, 0xF4, 0x55, 0x89, 0xE5, 0x8B,
                                             0x46, 0x06, 0x83, 0x46, 0x02, 0x02, 0x5D, 0xCF}});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.ax(), 0x46);
}

// ud2; hlt. The handler: push rax; mov rcx, [rsp+24]; pop rax; add qword [rsp], 2; iretq
TEST_F(LongModeTest, AHandlerOf64BitsFindsNoTrapFlagInItsFrame) {
  machine().set_gate(Vector::kInvalidOpcode,
                     InterruptGate64{.selector = kCode64Selector, .offset = 0x1003});
  machine().nmi(kNever);
  const Outcome outcome = run(LongModeImage{"opcode",
                                            {0x0F, 0x0B, 0xF4, 0x50, 0x48, 0x8B, 0x4C, 0x24, 0x18,
                                             0x58, 0x48, 0x83, 0x04, 0x24, 0x02, 0x48, 0xCF}});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_FALSE(Rflags{outcome.registers.rcx}.tf());
  EXPECT_EQ(outcome.stop_address(), Gva{0x1002});
}

// push 10h; push 8000h; pushfq; push 18h; push L; iretq; L: hlt; ud2
TEST_F(LongModeTest, TheHltAfterAnIretqIsExecuted) {
  machine().nmi(kNever);
  const Outcome outcome =
      run(LongModeImage{"iretq", {0x6A, 0x10, 0x68, 0x00, 0x80, 0,    0,    0x9C, 0x6A, 0x18,
                                  0x68, 0x11, 0x10, 0,    0,    0x48, 0xCF, 0xF4, 0x0F, 0x0B}});
  EXPECT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.stop_address(), Gva{0x1011});
  EXPECT_EQ(outcome.registers.rsp, 0x8000U);
}

// Sets EFER.SCE and LSTAR (1030h, where a HLT is), and makes a SYSCALL, which saves the flags in
// R11.
TEST_F(LongModeTest, SyscallSavesNoTrapFlag) {
  machine().nmi(kNever);
  Code code{0xB9, 0x80, 0x00, 0x00, 0xC0, 0x0F, 0x32, 0x0C, 0x01, 0x0F, 0x30,     // EFER.SCE
            0xB9, 0x82, 0x00, 0x00, 0xC0, 0x31, 0xD2, 0xB8, 0x30, 0x10, 0,    0,  // LSTAR
            0x0F, 0x30, 0x0F, 0x05};
  code.resize(0x31, 0xF4);
  const Outcome outcome = run(LongModeImage{"syscall", code});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.stop_address(), Gva{0x1030});
  EXPECT_EQ(outcome.registers.rcx, 0x101BU);
  EXPECT_FALSE(Rflags{outcome.registers.r11}.tf());
}

// Each makes five #DB, for the instructions up to CLI: the handler of vector 1 counts in CX.
TEST_F(SteppedRealModeTest, AGuestThatStepsItselfIsNotStepped) {
  // pushf; pop ax; or ah, 1; push ax; ...; nop (four times); cli; hlt; handler: inc cx; iret
  const Code by_popf{0x9C, 0x58, 0x80, 0xCC, 0x01, 0x50, 0x9D, 0x90,
                     0x90, 0x90, 0x90, 0xFA, 0xF4, 0x41, 0xCF};
  const Code by_prefixed_popf{0x9C, 0x58, 0x80, 0xCC, 0x01, 0x50, 0x2E, 0x9D,
                              0x90, 0x90, 0x90, 0x90, 0xFA, 0xF4, 0x41, 0xCF};
  const Code by_iret{0x9C, 0x58, 0x80, 0xCC, 0x01, 0x50, 0x0E, 0x68, 0x0B, 0x10,
                     0xCF, 0x90, 0x90, 0x90, 0x90, 0xFA, 0xF4, 0x41, 0xCF};
  for (const Code& code : {by_popf, by_prefixed_popf, by_iret}) {
    for (const InterruptMoment& moment :
         {InterruptMoment{kNever}, InterruptMoment{When{[](GuestView&) { return false; }}}}) {
      Machine machine{CpuMode::kReal16};
      machine.set_gate(
          Vector::kDebug,
          IvtEntry{.cs = 0, .ip = static_cast<std::uint16_t>(0x1000 + code.size() - 2)});
      machine.nmi(moment);
      const Outcome outcome = machine.run(FlatImage{"steps", code});
      ASSERT_THAT(outcome, Halted()) << report(outcome);
      EXPECT_EQ(outcome.registers.cx(), 5U) << code.size();
    }
  }
}

// nop (twice); cli; hlt; handler: inc cx; iret
TEST_F(SteppedRealModeTest, AGuestThatStartsWithTheTrapFlagIsNotStepped) {
  set_handler(Vector::kDebug, 0x1004);
  machine().nmi(kNever);
  const Outcome outcome = run(RealModeImage{"starts", {0x90, 0x90, 0xFA, 0xF4, 0x41, 0xCF}},
                              {.rflags = Rflags::kFixed | Rflags::kTf});
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.cx(), 3U);
}

// sti; nop (three times); cli; nop; hlt. STI holds an NMI off for one instruction, and no longer.
TEST_F(SteppedRealModeTest, AnNmiComesAfterTheInstructionAfterSti) {
  std::vector<std::uint64_t> came_at;
  machine().on_interrupt(Vector::kNonMaskableInterrupt,
                         [&came_at](Registers& registers) { came_at.push_back(registers.rip); });
  machine().nmi(AfterInstructions{1});
  EXPECT_THAT(run(RealModeImage{"sti", {0xFB, 0x90, 0x90, 0x90, 0xFA, 0x90, 0xF4}}), Halted());
  EXPECT_THAT(came_at, ElementsAre(0x1002U));
}

// sti; nop (twice); hlt; handler: ud2
TEST_F(SteppedRealModeTest, AHandlersFirstInstructionIsFoundToBeTheFault) {
  for (const InterruptMoment& moment :
       {InterruptMoment{AtAddress{Gva{0x1002}}}, InterruptMoment{AfterInstructions{2}}}) {
    Machine machine{CpuMode::kReal16};
    machine.set_gate(Vector{0x20}, IvtEntry{.cs = 0, .ip = 0x1004});
    machine.interrupt(Vector{0x20}, moment);
    const Diagnosis diagnosis =
        diagnose(machine.run(FlatImage{"handler", {0xFB, 0x90, 0x90, 0xF4, 0x0F, 0x0B}}));
    EXPECT_EQ(diagnosis.not_replayed, "");
    EXPECT_THAT(diagnosis.history, Not(IsEmpty()));
  }
}

// push 100h; inc eax; pushf; pop ecx; pop ebx; hlt. Only in 64-bit code would 40h be a prefix of
// PUSHF, and what is on the stack the flags.
TEST_F(ProtectedModeTest, AnIncBeforeAPushfIsNoPrefix) {
  machine().nmi(kNever);
  const Outcome outcome =
      run(ProtectedModeImage{"inc", {0x68, 0x00, 0x01, 0, 0, 0x40, 0x9C, 0x59, 0x5B, 0xF4}});
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ebx(), 0x100U);
  EXPECT_FALSE(Rflags{outcome.registers.rcx}.tf());
}

}  // namespace
