// The clock's interrupt, POST codes, the debug console, and time that INT 15h waits for.
#include <hltest/hltest.h>

#include <algorithm>
#include <array>

#include "../boot_sector.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;

class PcDevicesTest : public BootSectorTest {
 protected:
  Outcome run_code(std::vector<std::uint8_t> bytes) {
    return run(Disk::of_bytes(boot_sector(bytes)));
  }
};

TEST_F(PcDevicesTest, PostCodesAndTheDebugConsole) {
  // mov al, 12h; out 80h, al; mov al, 34h; out 80h, al; in al, 80h; mov bl, al; in al, E9h;
  // mov bh, al; mov al, 'x'; out E9h, al; cli; hlt
  const Outcome outcome =
      run_code({0xB0, 0x12, 0xE6, 0x80, 0xB0, 0x34, 0xE6, 0x80, 0xE4, 0x80, 0x88,
                0xC3, 0xE4, 0xE9, 0x88, 0xC7, 0xB0, 'x',  0xE6, 0xE9, 0xFA, 0xF4});
  EXPECT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, WroteValues(kPostCode, ElementsAre(0x12U, 0x34U)));
  EXPECT_THAT(outcome, Wrote(kDebugConsole, "x"));
  EXPECT_EQ(outcome.registers.bl(), 0x34) << "the last code";
  EXPECT_EQ(outcome.registers.bh(), 0xE9) << "there is a debug console";
}

// Vector 70h at 0000:7C40 counts in BX, reads register C and ends the interrupt; the code enables
// the periodic interrupt and waits three times.
TEST_F(PcDevicesTest, TheClockInterruptsAGuestThatWaits) {
  constexpr std::array<std::uint8_t, 29> kCode = {
      0xC7, 0x06, 0xC0, 0x01, 0x40, 0x7C, 0xC7, 0x06, 0xC2, 0x01, 0x00, 0x00,  // vector 70h
      0xB0, 0x0B, 0xE6, 0x70, 0xB0, 0x42, 0xE6, 0x71,                          // register B
      0xFB, 0xF4, 0x83, 0xFB, 0x03, 0x72, 0xFA, 0xFA, 0xF4};  // sti; hlt; cmp bx, 3; jb; cli; hlt
  constexpr std::array<std::uint8_t, 18> kHandler = {0x43, 0x50, 0xB0, 0x0C, 0xE6, 0x70,
                                                     0xE4, 0x71, 0x88, 0xC1, 0xB0, 0x20,
                                                     0xE6, 0xA0, 0xE6, 0x20, 0x58, 0xCF};
  std::vector<std::uint8_t> code(510);
  std::ranges::copy(kCode, code.begin());
  std::ranges::copy(kHandler, code.begin() + 0x40);
  const Outcome outcome = run_code(code);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_GE(outcome.registers.bx(), 3);
  EXPECT_EQ(outcome.registers.cl(), 0xC0) << "register C: a periodic interrupt was requested";
}

// mov ah, 86h; mov cx, 1; mov dx, 0; int 15h (65536 us); the same again; cli; hlt
TEST_F(PcDevicesTest, AWaitPassesTime) {
  const Outcome outcome =
      run_code({0xB4, 0x86, 0xB9, 1,    0,    0xBA, 0,    0,    0xCD, 0x15, 0xB4,
                0x86, 0xCD, 0x15, 0xB4, 0x86, 0xCD, 0x15, 0xB4, 0x86, 0xCD, 0x15,
                0xB4, 0x86, 0xCD, 0x15, 0xB4, 0x86, 0xCD, 0x15, 0xFA, 0xF4});
  EXPECT_THAT(outcome, Halted());
  EXPECT_FALSE(outcome.registers.rflags.cf());
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x46C}), 7U)
      << "six times 65536 us, in ticks of 54925 us: the rest is kept";
}

// A label of the image's source.
TEST_F(PcDevicesTest, AnInterruptAtALabel) {
  std::vector<std::uint64_t> came_at;
  machine().interrupt(Vector{0x60}, AtLabel{".next"});
  machine().on_interrupt(Vector{0x60},
                         [&came_at](Registers& registers) { came_at.push_back(registers.rip); });
  const Outcome outcome = run(guests::hello_sector);
  EXPECT_THAT(outcome, ShowsText(0, "Hello, world"));
  EXPECT_THAT(came_at, ElementsAre(0x7C08U)) << "the first time, before LODSB";
  machine().interrupt(Vector{0x60}, AtLabel{"nowhere"});
  EXPECT_THAT([this] { static_cast<void>(run(guests::hello_sector)); },
              testing::ThrowsMessage<SetupError>(testing::HasSubstr(
                  "interrupt(0x60) at the label 'nowhere': hello_sector has no such label")));
}

TEST_F(PcDevicesTest, AServiceThatEndsTheRunShowsItsInt) {
  const Outcome outcome = run(guests::echo_keys);
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_THAT(outcome.source().value().line.text, testing::HasSubstr("0x16"));
}

// A gMock action serves a vector.
TEST_F(PcDevicesTest, AMockOfAService) {
  testing::MockFunction<bool(Registers&)> disk;
  EXPECT_CALL(disk, Call(testing::Property(&Registers::ah, 0x41)))
      .WillOnce([](Registers& registers) {
        registers.rflags.set(Rflags::kCf, true);
        return true;
      });
  EXPECT_CALL(disk, Call(testing::Property(&Registers::ah, 0x02)))
      .WillOnce(testing::Return(false));  // the BIOS's
  machine().on_interrupt(Vector{0x13}, disk.AsStdFunction());
  const Outcome outcome = run_from(kFirstHardDisk, Disk{sector(guests::load_second_stage)});
  EXPECT_THAT(outcome, CalledBios(0x13, 0x02));
}

}  // namespace
