// The A20 gate: what a guest finds from 1 MiB on, and the ways in which it opens and closes it.
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;
using ::testing::Not;

using Code = std::vector<std::uint8_t>;

// A boot sector of this code.
Disk disk_of(Code code) { return Disk::of_bytes(boot_sector(code)); }

// mov ax, 0xFFFF; mov es, ax; mov byte [0x500], 0x55; mov byte [es:0x510], 0xAA
const Code kWriteToBoth = {0xB8, 0xFF, 0xFF, 0x8E, 0xC0, 0xC6, 0x06, 0x00,
                           0x05, 0x55, 0x26, 0xC6, 0x06, 0x10, 0x05, 0xAA};

Code operator+(Code left, const Code& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

class A20Test : public BootSectorTest {
 protected:
  // Writes to 0000:0500 and to FFFF:0510 after this code, and halts.
  bool is_open_after(const Code& code) {
    const Outcome outcome = run_from(kFirstFloppy, disk_of(code + kWriteToBoth + Code{0xF4}));
    EXPECT_THAT(outcome, Halted()) << report(outcome);
    const bool wraps = memory().read<std::uint8_t>(Gpa{0x500}) == 0xAA;
    EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x10'0500}), wraps ? 0 : 0xAA);
    return !wraps;
  }
};

const Code kCloseByPort92 = {0xE4, 0x92, 0x24, 0xFD, 0xE6, 0x92};
const Code kOpenByPort92 = {0xE4, 0x92, 0x0C, 2, 0xE6, 0x92};
const Code kCloseByCommand = {0xB0, 0xDD, 0xE6, 0x64};
const Code kOpenByCommand = {0xB0, 0xDF, 0xE6, 0x64};
const Code kCloseByOutputPort = {0xB0, 0xD1, 0xE6, 0x64, 0xB0, 0xDD, 0xE6, 0x60};
const Code kOpenByOutputPort = {0xB0, 0xD1, 0xE6, 0x64, 0xB0, 0xDF, 0xE6, 0x60};
const Code kCloseByBios = {0xB8, 0x00, 0x24, 0xCD, 0x15};
const Code kOpenByBios = {0xB8, 0x01, 0x24, 0xCD, 0x15};

TEST_F(A20Test, IsOpenUnlessTheTestClosesIt) {
  EXPECT_TRUE(is_open_after({}));
  machine().set_a20(false);
  EXPECT_FALSE(is_open_after({}));
  machine().set_a20(true);
  EXPECT_TRUE(is_open_after({}));
}

TEST_F(A20Test, EachWayClosesItAndEachOpensItAgain) {
  for (const Code& close : {kCloseByPort92, kCloseByCommand, kCloseByOutputPort, kCloseByBios}) {
    EXPECT_FALSE(is_open_after(close));
    for (const Code& open : {kOpenByPort92, kOpenByCommand, kOpenByOutputPort, kOpenByBios}) {
      EXPECT_TRUE(is_open_after(close + open));
      EXPECT_FALSE(is_open_after(close + open + close)) << "a third time";
    }
  }
}

// in al, 0x92; mov bl, al; mov al, 0xD0; out 0x64, al; in al, 0x60; mov bh, al; mov ax, 0x2402;
// int 0x15
TEST_F(A20Test, IsToldAlikeByAllWhoeverChangedIt) {
  const Code ask = {0xE4, 0x92, 0x88, 0xC3, 0xB0, 0xD0, 0xE6, 0x64, 0xE4,
                    0x60, 0x88, 0xC7, 0xB8, 0x02, 0x24, 0xCD, 0x15, 0xF4};
  for (const Code& change : {Code{}, kCloseByPort92, kCloseByCommand, kCloseByOutputPort,
                             kCloseByBios, kCloseByBios + kOpenByCommand}) {
    const Outcome outcome = run_from(kFirstFloppy, disk_of(change + ask));
    const bool is_open = change.empty() || change.size() > kCloseByOutputPort.size();
    EXPECT_EQ((outcome.registers.bl() & 2) != 0, is_open) << "port 92h";
    EXPECT_EQ((outcome.registers.bh() & 2) != 0, is_open) << "the output port";
    EXPECT_EQ(outcome.registers.al(), is_open ? 1 : 0) << "INT 15h";
  }
}

// What is in the second MiB stays there behind the closed gate, and more than 2 MiB are as they
// are.
TEST_F(A20Test, MemoryBehindTheGateStays) {
  memory().write<std::uint32_t>(Gpa{0x10'0500}, 0x1234'5678);
  memory().write<std::uint32_t>(Gpa{0x20'0500}, 0x8765'4321);
  const Outcome outcome = run_from(kFirstFloppy, disk_of(kCloseByBios + kWriteToBoth + Code{0xF4}));
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x500}), 0xAA);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x10'0500}), 0x1234'5678U);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x20'0500}), 0x8765'4321U);
}

TEST_F(A20Test, AMachineOfOneMiBWrapsToo) {
  machine().set_memory_size(kMiB);
  machine().set_a20(false);
  const Outcome outcome = run_from(kFirstFloppy, disk_of(kWriteToBoth + Code{0xF4}));
  EXPECT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x500}), 0xAA);
}

// mov ax, 0xFFFF; mov es, ax; mov bx, 0x510; mov ax, 0x0201; mov cx, 1; xor dx, dx; int 0x13; hlt
TEST_F(A20Test, ABiosReadsThroughTheGate) {
  machine().set_a20(false);
  const Code code = {0xB8, 0xFF, 0xFF, 0x8E, 0xC0, 0xBB, 0x10, 0x05, 0xB8, 0x01,
                     0x02, 0xB9, 0x01, 0x00, 0x31, 0xD2, 0xCD, 0x13, 0xF4};
  const Outcome outcome = run_from(kFirstFloppy, disk_of(code));
  EXPECT_THAT(outcome, ReadSectors({{.drive = 0, .lba = 0, .memory = Gpa{0x500}}}));
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x500}), 0x8EFF'FFB8U);
}

// Runs on in the first MiB by an address of the second: mov ax, 0xFFFF; push ax; push word
// 0x7C10 + target; retf. Then UD2, to be found in the source bytes at 0x7C00.
TEST_F(A20Test, AFaultBehindTheGateIsFoundInTheImage) {
  machine().set_a20(false);
  constexpr std::uint8_t kTarget = 0x10;
  Code code = {0xB8, 0xFF, 0xFF, 0x50, 0x68, 0x10 + kTarget, 0x7C, 0xCB};
  code.resize(kTarget, 0x90);
  code.insert(code.end(), {0x0F, 0x0B});
  const Outcome outcome = run_from(kFirstFloppy, disk_of(code));
  ASSERT_THAT(outcome, Raised(InvalidOpcode{})) << report(outcome);
  EXPECT_EQ(outcome.stop_offset(), std::uint64_t{kTarget});
}

// Close, write through the gate, open, write, and a UD2: a replay that does not repeat the gate
// would execute something else.
TEST_F(A20Test, AReplayRepeatsIt) {
  // mov word [es:0x7C10 + 0x40], 0x0B0F: the UD2 comes through the closed gate.
  const Code write_ud2 = {0xB8, 0xFF, 0xFF, 0x8E, 0xC0, 0x26, 0xC7, 0x06, 0x50, 0x7C, 0x0F, 0x0B};
  Code code = kCloseByPort92 + write_ud2 + kOpenByPort92;
  code.resize(0x40, 0x90);
  const Outcome outcome = run_from(kFirstFloppy, disk_of(code));
  ASSERT_THAT(outcome, Raised(InvalidOpcode{}));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_FALSE(diagnosis.history.empty());
  ASSERT_EQ(outcome.accesses.a20_changes().size(), 2U);
  EXPECT_EQ(outcome.accesses.a20_changes()[0].access, 1U);
  EXPECT_FALSE(outcome.accesses.a20_changes()[0].is_open);
}

// A device of a test's own may be the gate.
TEST_F(RealModeTest, ADeviceOfTheTestsClosesA20) {
  class Gate : public Device {
   public:
    bool write(const Access& access, GuestView& guest) override {
      EXPECT_NE(guest.a20_is_open(), access.value != 0);
      guest.set_a20(access.value != 0);
      return true;
    }
  };
  machine().attach(PortRange{0xEE, 0xEE}, std::make_shared<Gate>());
  const Code code = Code{0xB0, 0, 0xE6, 0xEE} + kWriteToBoth + Code{0xB0, 1, 0xE6, 0xEE, 0xF4};
  EXPECT_THAT(run(RealModeImage{"gate", code}), Halted());
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x500}), 0xAA);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x10'0500}), 0);
}

TEST_F(ProtectedModeTest, HasNoA20Gate) {
  EXPECT_THAT([this] { machine().set_a20(false); },
              testing::ThrowsMessage<SetupError>(
                  "set_a20(): only a guest that starts in real mode has an A20 gate"));
  class Gate : public Device {
   public:
    bool write(const Access& /*access*/, GuestView& guest) override {
      guest.set_a20(false);
      return true;
    }
  };
  machine().attach(PortRange{0xEE, 0xEE}, std::make_shared<Gate>());
  EXPECT_THAT(
      [this] {
        static_cast<void>(run(ProtectedModeImage{"gate", {0xE6, 0xEE, 0xF4}}));
      },
      testing::ThrowsMessage<SetupError>(
          "the A20 gate is closed only for guests that start in real mode"));
}

// The tree's second stage tries the BIOS, the keyboard controller and port 92h.
class ThreeWaysTest : public A20Test {
 protected:
  ThreeWaysTest() { machine().set_a20(false); }
  Outcome boot_two_stages() {
    return run(Disk{sector(guests::load_second_stage), at(1, guests::second_stage)});
  }
  void break_keyboard_controller() {
    machine().ports().on_in(0x64, Always{0x00});
    machine().ports().on_out(0x64, [](const Access&) {});
  }
  void break_port_92() {
    machine().ports().on_in(0x92, Always{0x00});
    machine().ports().on_out(0x92, [](const Access&) {});
  }
};

TEST_F(ThreeWaysTest, ByTheBios) {
  const Outcome outcome = boot_two_stages();
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  EXPECT_THAT(outcome, CalledBios(0x15, 0x24));
  EXPECT_THAT(outcome, Not(Accessed(Out(0x64))));
}

TEST_F(ThreeWaysTest, ByTheKeyboardController) {
  bios().has_a20_service = false;
  const Outcome outcome = boot_two_stages();
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  EXPECT_THAT(outcome, Accessed(Out(0x64, 0xD1), Out(0x60, 0xDF)));
  EXPECT_THAT(outcome, Not(Accessed(In(0x92))));
}

TEST_F(ThreeWaysTest, ByPort92) {
  bios().has_a20_service = false;
  break_keyboard_controller();
  const Outcome outcome = boot_two_stages();
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  EXPECT_THAT(outcome, Accessed(Out(0x92, 0x02)));
}

TEST_F(ThreeWaysTest, ByNone) {
  bios().has_a20_service = false;
  break_keyboard_controller();
  break_port_92();
  const Outcome outcome = boot_two_stages();
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.mode, CpuMode::kReal16);
}

TEST_F(A20Test, OnlyTheSecondMiBIsBehindTheGate) {
  machine().set_a20(false);
  const Outcome outcome = run_from(kFirstFloppy, disk_of({0xF4}));
  EXPECT_EQ(outcome.tables().translate(Gva{0x0F'FFFF}), Gpa{0x0F'FFFF});
  EXPECT_EQ(outcome.tables().translate(Gva{0x10'0000}), Gpa{0});
  EXPECT_EQ(outcome.tables().translate(Gva{0x1F'FFFF}), Gpa{0x0F'FFFF});
  EXPECT_EQ(outcome.tables().translate(Gva{0x20'0000}), Gpa{0x20'0000});
}

}  // namespace
