// Guests that wait for a timer and a keyboard, and what else a PC has at its ports.
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PcTest : public BootSectorTest {
 protected:
  // A boot sector of bytes.
  static RealModeImage code(std::vector<std::uint8_t> bytes) {
    return {"code", boot_sector(bytes)};
  }
};

TEST_F(PcTest, ATimersHandlerRunsAtEachHlt) {
  const Outcome outcome = run(guests::count_ticks);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, "....."));
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x46C}), 5U) << "the BIOS counts too";
}

// Virtual time: the same run each time.
TEST_F(PcTest, RunsWithInterruptsAreAlike) {
  const Outcome first = run(guests::count_ticks);
  const Outcome second = run(guests::count_ticks);
  EXPECT_EQ(first.registers, second.registers);
  EXPECT_EQ(first.accesses.size(), second.accesses.size());
}

TEST_F(PcTest, AKeyboardHandlerGetsScanCodes) {
  bios().keys = "az";
  const Outcome outcome = run(guests::read_scan_codes);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(memory().read_bytes(Gpa{0x8000}, 4), ElementsAre(0x1E, 0x9E, 0x2C, 0xAC));
}

TEST_F(PcTest, AnInterruptInProtectedMode) {
  if (const HostCan can{Ability::kIret}; !can) GTEST_SKIP() << can.reason;
  const Outcome outcome = run(guests::protected_timer);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.ebx(), 3U);
  EXPECT_EQ(outcome.mode, CpuMode::kProtected32);
}

// A HLT that nothing waits in is an end, though interrupts are enabled.
TEST_F(PcTest, AHltThatIsNoWaitIsTheEnd) {
  const Outcome outcome = run(code({0xFB, 0xF4, 0x0F, 0x0B}));  // sti; hlt; ud2
  EXPECT_THAT(outcome, Halted());
  EXPECT_TRUE(outcome.accesses.interrupts().empty());
}

// hlt; jmp to it: after many ticks nothing else can come.
TEST_F(PcTest, ALoopOfHltsEnds) {
  const Outcome outcome = run(code({0xFB, 0xF4, 0xEB, 0xFD}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.accesses.interrupts().size(), 400U);
  EXPECT_THAT(run(code({0xFA, 0xF4, 0xEB, 0xFC})), Halted()) << "cli; hlt; jmp to the cli";
}

// What many boot sectors end in: it takes no five seconds to see.
TEST_F(PcTest, AJumpToItselfIsAnEnd) {
  EXPECT_THAT(summary(run(code({0xFA, 0xEB, 0xFE}))),
              HasSubstr("it jumps to itself at 0x7c01, for ever"));
  EXPECT_THAT(summary(run(code({0xFB, 0xEB, 0xFE}))),
              HasSubstr("it jumps to itself at 0x7c01, for ever"))
      << "no handler waits";
}

TEST_F(PcTest, AHandlerIsCalledFromAJumpToItself) {
  // mov word [70h], 7C0Fh; mov [72h], ds; sti; jmp $; at 7C0F: cli; hlt
  EXPECT_THAT(run(code({0xC7, 0x06, 0x70, 0x00, 0x0F, 0x7C, 0x8C, 0x1E, 0x72, 0x00, 0xFB, 0xEB,
                        0xFE, 0x90, 0x90, 0xFA, 0xF4})),
              Halted());
}

// mov ax, [0x46C]; hlt; cmp ax, [0x46C]; je to the hlt; cli; hlt
TEST_F(PcTest, ALoopOnTheBiossTicksGoesOn) {
  const Outcome outcome =
      run(code({0xFB, 0xA1, 0x6C, 0x04, 0xF4, 0x3B, 0x06, 0x6C, 0x04, 0x74, 0xF9, 0xFA, 0xF4}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.stop_address(), Gva{0x7C0C});
}

// A fault in a guest that was interrupted is replayed, with its interrupts where they were.
TEST_F(PcTest, AFaultAfterInterruptsIsExplained) {
  // sti; xor cx, cx; hlt; inc cx; cmp cx, 3; jb to the hlt; xor dx, dx; div dx
  const Outcome outcome = run(
      code({0xFB, 0x31, 0xC9, 0xF4, 0x41, 0x83, 0xF9, 0x03, 0x72, 0xF9, 0x31, 0xD2, 0xF7, 0xF2}));
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.accesses.interrupts().size(), 3U);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_EQ(diagnosis.cause, "the divisor dx is 0");
}

// Loops that wait for a bit of a PC's ports: each would spin on a floating bus.
TEST_F(PcTest, PortsThatLoadersPollAnswer) {
  const std::vector<std::vector<std::uint8_t>> polls = {
      {0xE4, 0x64, 0xA8, 0x02, 0x75, 0xFA, 0xF4},  // the 8042's input buffer
      {0xB0, 0x0A, 0xE6, 0x70, 0xE4, 0x71, 0xA8, 0x80, 0x75, 0xF6, 0xF4},  // CMOS: no update
      {0xBA, 0xDA, 0x03, 0xEC, 0xA8, 0x08, 0x75, 0xFB, 0xEC, 0xA8, 0x08, 0x74, 0xFB, 0xF4},
      {0xE4, 0x61, 0xA8, 0x10, 0x74, 0xFA, 0xE4, 0x61, 0xA8, 0x10, 0x75, 0xFA, 0xF4},  // refresh
      // out 43h, 0; in al, 40h twice, until it differs
      {0xB0, 0x00, 0xE6, 0x43, 0xE4, 0x40, 0x88, 0xC3, 0xE4, 0x40, 0xB0,
       0x00, 0xE6, 0x43, 0xE4, 0x40, 0x38, 0xC3, 0x74, 0xEC, 0xF4}};
  for (const std::vector<std::uint8_t>& poll : polls) {
    EXPECT_THAT(run(code(poll)), Halted()) << ::testing::PrintToString(poll);
  }
}

TEST_F(PcTest, ResetsEndTheRun) {
  EXPECT_THAT(summary(run(code({0xB0, 0xFE, 0xE6, 0x64}))), HasSubstr("it rebooted (the keyboard"));
  EXPECT_THAT(summary(run(code({0xB0, 0x03, 0xE6, 0x92}))), HasSubstr("it rebooted (port 92h)"));
  EXPECT_THAT(summary(run(code({0xB0, 0x06, 0xBA, 0xF9, 0x0C, 0xEE}))),
              HasSubstr("it rebooted (port CF9h)"));
}

TEST_F(PcTest, Port92OpensA20WithoutAReset) {
  // in al, 92h; or al, 2; out 92h, al; in al, 92h; hlt
  const Outcome outcome = run(code({0xE4, 0x92, 0x0C, 0x02, 0xE6, 0x92, 0xE4, 0x92, 0xF4}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.al(), 2);
}

// mov al, D0h; out 64h; in al, 60h: the output port; A20 is its bit 1.
TEST_F(PcTest, TheKeyboardControllersOutputPort) {
  EXPECT_EQ(run(code({0xB0, 0xD0, 0xE6, 0x64, 0xE4, 0x60, 0xF4})).registers.al(), 0xDF);
  EXPECT_EQ(run(code({0xB0, 0xD1, 0xE6, 0x64, 0xB0, 0xDD, 0xE6, 0x60, 0xB0, 0xD0, 0xE6, 0x64, 0xE4,
                      0x60, 0xF4}))
                .registers.al(),
            0xDD);
  EXPECT_EQ(run(code({0xB0, 0xAA, 0xE6, 0x64, 0xE4, 0x60, 0xF4})).registers.al(), 0x55);
}

TEST_F(PcTest, CmosTellsMemoryAndATime) {
  // mov al, 18h; out 70h, al; in al, 71h; mov bl, al; mov al, 4; out 70h, al; in al, 71h; hlt
  const Outcome outcome = run(code(
      {0xB0, 0x18, 0xE6, 0x70, 0xE4, 0x71, 0x88, 0xC3, 0xB0, 0x04, 0xE6, 0x70, 0xE4, 0x71, 0xF4}));
  EXPECT_EQ(outcome.registers.bl(), 15 * 1024 >> 8);
  EXPECT_EQ(outcome.registers.al(), 0x12) << "hours, in BCD";
}

TEST_F(PcTest, DevicesOfTheTestsTakeThePcsPlace) {
  machine().ports().on_in(0x60, Always{0x77});
  EXPECT_EQ(run(code({0xE4, 0x60, 0xF4})).registers.al(), 0x77);
  machine().ports().on_in(0x92, Always{0x55});
  EXPECT_EQ(run(code({0xE4, 0x92, 0xF4})).registers.al(), 0x55) << "after a run, too";
}

// mov word [24h], 7C0Fh; mov [26h], ds; sti; jmp $; nop; nop; at 7C0F: in al, 60h; cli; hlt
TEST_F(PcTest, AKeyIsAWayOutOfAJumpToItself) {
  bios().keys = "a";
  const Outcome outcome = run(code({0xC7, 0x06, 0x24, 0x00, 0x0F, 0x7C, 0x8C, 0x1E, 0x26, 0x00,
                                    0xFB, 0xEB, 0xFE, 0x90, 0x90, 0xE4, 0x60, 0xFA, 0xF4}));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.registers.al(), 0x1E);
}

// A handler that calls the BIOS's: INT 16h has each key once, and in order.
TEST_F(PcTest, AKeyboardHandlerMayCallTheBioss) {
  // mov eax, [24h]; mov [8000h], eax; mov word [24h], 7C24h; mov [26h], ds; sti; hlt; mov ah, 0;
  // int 16h; cmp al, 'c'; jne to the HLT; cli; hlt; at 7C23: inc byte [8004h]; jmp far [8000h]
  std::vector<std::uint8_t> bytes{0x66, 0xA1, 0x24, 0x00, 0x66, 0xA3, 0x00, 0x80, 0xC7,
                                  0x06, 0x24, 0x00, 0x24, 0x7C, 0x8C, 0x1E, 0x26, 0x00,
                                  0xFB, 0xF4, 0xB4, 0x01, 0xCD, 0x16, 0x74, 0xF9, 0xB4,
                                  0x00, 0xCD, 0x16, 0x3C, 0x63, 0x75, 0xF1, 0xFA, 0xF4};
  bytes.insert(bytes.end(), {0xFE, 0x06, 0x04, 0x80, 0xFF, 0x2E, 0x00, 0x80});
  bios().keys = "abc";
  const Outcome outcome = run(code(bytes));
  EXPECT_EQ(outcome.registers.al(), 'c') << report(outcome);
  std::string read;
  for (const ServiceCall& call : outcome.bios_calls()) {
    if (call.name == "read a key") read += static_cast<char>(call.after.al());
  }
  EXPECT_EQ(read, "abc");
  EXPECT_GE(memory().read<std::uint8_t>(Gpa{0x8004}), 1);
}

// The timer's interrupt is still in service: on a PC this waits for ever.
TEST_F(PcTest, AHandlerWithoutAnEoiIsTold) {
  // mov word [20h], 7C0Fh; mov [22h], ds; sti; hlt; jmp to it; nop; nop; at 7C0F: iret
  EXPECT_THAT(
      summary(run(code({0xC7, 0x06, 0x20, 0x00, 0x0F, 0x7C, 0x8C, 0x1E, 0x22, 0x00, 0xFB, 0xF4,
                        0xEB, 0xFD, 0x90, 0xCF}))),
      HasSubstr("it waits for the timer, whose last interrupt (IRQ 0) has had no end (EOI)"));
  // mov al, 1; out 21h, al; sti; hlt; jmp to it
  EXPECT_THAT(summary(run(code({0xB0, 0x01, 0xE6, 0x21, 0xFB, 0xF4, 0xEB, 0xFD}))),
              HasSubstr("it waits for the timer, whose interrupt (IRQ 0) is masked"));
}

// sti; mov bx, [46Ch]; cmp bx, [46Ch]; je back
TEST_F(PcTest, ALoopWithoutAHltIsToldThatTimeIsVirtual) {
  machine().set_timeout(std::chrono::milliseconds{100});
  const Outcome outcome =
      run(code({0xFB, 0x8B, 0x1E, 0x6C, 0x04, 0x3B, 0x1E, 0x6C, 0x04, 0x74, 0xFA}));
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_THAT(diagnose(outcome).findings,
              ::testing::Contains(HasSubstr("only while the guest waits in a HLT")));
}

// The classic: interrupts in protected mode with IRQ 0 still at vector 8, which is #DF's.
TEST_F(PcTest, AnIrqThatTheIdtHasNoGateForIsNoDoubleFault) {
  // cli; xor ax, ax; mov ds, ax; lgdt [7C40h]; lidt [7C46h]; mov eax, cr0; or al, 1; mov cr0, eax;
  // jmp 8:7C1Eh; there: mov ax, 16; mov ds, ax; mov ss, ax; mov esp, 9000h; sti; hlt
  std::vector<std::uint8_t> bytes{
      0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0x0F, 0x01, 0x16, 0x40, 0x7C, 0x0F, 0x01, 0x1E, 0x46, 0x7C,
      0x0F, 0x20, 0xC0, 0x0C, 0x01, 0x0F, 0x22, 0xC0, 0xEA, 0x1E, 0x7C, 0x08, 0x00, 0x90, 0x90,
      0x66, 0xB8, 0x10, 0x00, 0x8E, 0xD8, 0x8E, 0xD0, 0xBC, 0x00, 0x90, 0x00, 0x00, 0xFB, 0xF4};
  bytes.resize(0x40);
  // GDTR: 23 at 7C50h; IDTR: 7FFh at 10000h, which is zeros
  bytes.insert(bytes.end(),
               {0x17, 0x00, 0x50, 0x7C, 0x00, 0x00, 0xFF, 0x07, 0x00, 0x00, 0x01, 0x00});
  bytes.resize(0x58);
  for (const std::uint8_t type : std::vector<std::uint8_t>{0x9A, 0x92}) {
    bytes.insert(bytes.end(), {0xFF, 0xFF, 0, 0, 0, type, 0xCF, 0});
  }
  const Outcome outcome = run(code(bytes));
  ASSERT_THAT(outcome, TripleFaulted()) << report(outcome);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.reason, "triple fault after an interrupt (vector 0x8)");
  EXPECT_EQ(diagnosis.cause, "a device or the test requested it");
  EXPECT_THAT(diagnosis.undelivered, HasSubstr("0x8"));
  EXPECT_EQ(diagnosis.place.value().address, Gva{0x7C2C}) << "the HLT";
}

// mov ax, 0x0501; int 0x10; mov ah, 2; mov bh, 1; mov dx, 0x0203; int 0x10; cli; hlt
TEST_F(PcTest, TheCursorIsThatOfTheShownPage) {
  const Outcome outcome = run(code({0xB8, 0x01, 0x05, 0xCD, 0x10, 0xB4, 0x02, 0xB7, 0x01, 0xBA,
                                    0x03, 0x02, 0xCD, 0x10, 0xFA, 0xF4}));
  EXPECT_EQ(outcome.screen().cursor, (Screen::Place{.row = 2, .column = 3}));
}

// Each control word begins a count anew with its low byte: out 43h, 34h; out 40h, 34h;
// out 43h, 34h; out 40h, 00h; out 40h, 10h; in al, 40h; mov bl, al; in al, 40h; mov bh, al; cli;
// hlt
TEST_F(PcTest, AControlWordOfTheTimerForgetsHalfACount) {
  const Outcome outcome = run(code({0xB0, 0x34, 0xE6, 0x43, 0xB0, 0x34, 0xE6, 0x40, 0xB0, 0x34,
                                    0xE6, 0x43, 0xB0, 0x00, 0xE6, 0x40, 0xB0, 0x10, 0xE6, 0x40,
                                    0xE4, 0x40, 0x88, 0xC3, 0xE4, 0x40, 0x88, 0xC7, 0xFA, 0xF4}));
  EXPECT_EQ(outcome.registers.bx(), 0x1000 - 64);
}

}  // namespace
