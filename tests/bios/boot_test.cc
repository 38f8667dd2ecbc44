// Guests that boot from disks: what they find, load, print and write.
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "../message_of.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Disk two_stages() { return Disk{sector(guests::load_second_stage), at(1, guests::second_stage)}; }

TEST_F(BootSectorTest, PrintsOnTheScreen) {
  const Outcome outcome = run(guests::hello_sector);
  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, ShowsText(0, "Hello, world"));
  EXPECT_THAT(outcome, ShowsText(1, ""));
  EXPECT_THAT(outcome, Printed("Hello, world\r\n"));
  EXPECT_EQ(outcome.screen().cursor, (Screen::Place{.row = 1, .column = 0}));
  EXPECT_EQ(outcome.screen().attributes.at(0).at(0), 0x07);
  EXPECT_THAT(outcome, CalledBios(0x10, 0x0E));
  EXPECT_THAT(outcome, Not(CalledBios(0x13, 0x02)));
}

// What SeaBIOS leaves.
TEST_F(BootSectorTest, FindsTheStateOfABios) {
  const Outcome outcome = run(guests::hello_sector);
  EXPECT_EQ(outcome.start.cs.selector, 0);
  EXPECT_EQ(outcome.start.rip, 0x7C00U);
  EXPECT_EQ(outcome.start.rax, 0xAA55U);
  EXPECT_EQ(outcome.start.rdx, 0x80U);
  EXPECT_EQ(outcome.start.rsp, 0x6F00U);
  EXPECT_TRUE(outcome.start.rflags.if_());
  EXPECT_EQ(memory().read<std::uint16_t>(Gpa{0x413}), 639) << "KiB";
  EXPECT_EQ(memory().read<std::uint16_t>(Gpa{0x40E}), 0x9FC0) << "the EBDA's segment";
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x475}), 1) << "hard disk";
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x449}), 3) << "the video mode";
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x489}), 0x51) << "a VGA";
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x496}), 0x10) << "a keyboard of 101 keys";
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x1E * 4}), 0xF000EFC7U) << "diskette parameters";
}

TEST_F(BootSectorTest, RegistersOfTheTestsTakeTheBiossPlace) {
  EXPECT_EQ(run(guests::hello_sector, {.rax = 1, .rdx = 0x81}).start.rdx, 0x81U);
  machine().registers().rax = 2;
  machine().registers().rdx = 3;
  machine().registers().rsp = 4;
  machine().registers().rflags = Rflags{Rflags::kFixed | Rflags::kDf};
  const Registers start = run(guests::hello_sector).start;
  EXPECT_EQ(start.rax, 2U);
  EXPECT_EQ(start.rdx, 3U);
  EXPECT_EQ(start.rsp, 4U);
  EXPECT_FALSE(start.rflags.if_());
  EXPECT_EQ(run(guests::hello_sector, {.rax = 5}).start.rax, 5U) << "those of the call come first";
}

TEST_F(BootSectorTest, TwoStagesToLongMode) {
  const Outcome outcome = run(two_stages());
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(outcome.mode, CpuMode::kLong64);
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  EXPECT_THAT(outcome, ReadSectors({{.drive = 0, .lba = 1, .count = 4, .memory = Gpa{0x8000}}}));
  EXPECT_EQ(outcome.source().value().line.file, "second_stage.asm") << "a line of the second stage";
  // RAM below the EBDA, the EBDA, the ROM, RAM from 1 MiB on.
  EXPECT_EQ(outcome.registers.rbx, 4U);
  EXPECT_EQ(memory().read<std::uint64_t>(Gpa{0x5008}), 639 * kKiB);
  EXPECT_EQ(memory().read<std::uint64_t>(Gpa{0x5000 + 3 * 20 + 8}), 15 * kMiB);
}

TEST_F(BootSectorTest, WithoutExtensionsItReadsByChs) {
  bios().has_disk_extensions = false;
  const Outcome outcome = run_from(kFirstHardDisk, two_stages());
  EXPECT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, CalledBios(0x13, 0x02));
  EXPECT_THAT(outcome, Not(CalledBios(0x13, 0x42)));
  EXPECT_THAT(outcome, ReadSectors({{.lba = 1, .count = 4}}));
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
}

TEST_F(BootSectorTest, TriesAgainAfterAFailure) {
  bios().disk_failures = {{.status = 0x20, .times = 2}};
  const Outcome outcome = run(two_stages());
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  EXPECT_THAT(outcome, ReadSectors({{.drive = 0, .lba = 1, .count = 4}})) << "the third";
}

TEST_F(BootSectorTest, GivesUpAfterThreeFailures) {
  bios().disk_failures = {{.times = 3}};
  const Outcome outcome = run(two_stages());
  EXPECT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, ShowsText(0, "Disk error"));
  EXPECT_THAT(outcome, ReadSectors({}));
}

TEST_F(BootSectorTest, FailuresOfAnotherDriveAreNotThisOnes) {
  bios().disk_failures = {{.times = 100, .drive = Drive{0x81}}};
  EXPECT_THAT(run(two_stages()), ShowsText(2, "OK"));
}

TEST_F(BootSectorTest, ANextStageThatOnlyHaltsShowsWhereItWasEntered) {
  const Disk disk{sector(guests::load_second_stage), at(1, RealModeImage{"halt", {0xF4}})};
  const Outcome outcome = run(disk);
  EXPECT_THAT(outcome, JumpedTo(0x0000, 0x8000));
  EXPECT_THAT(outcome, Not(JumpedTo(0x0800, 0x0000)));
  EXPECT_EQ(outcome.registers.dl(), 0) << "the boot drive";
}

TEST_F(BootSectorTest, TypedKeysAreReadAndADiskIsWritten) {
  bios().keys = "Ab1\n";
  const Outcome outcome = run(guests::echo_keys);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, Printed("Ab1"));
  EXPECT_THAT(outcome, WroteSectors({{.lba = 5, .memory = Gpa{0x8000}}}));
  const Disk& disk = outcome.disks.at(kFirstHardDisk);
  EXPECT_THAT(disk.written_sectors(), ElementsAre(5U));
  EXPECT_THAT(disk.read_bytes(5 * Disk::kSectorSize, 3), ElementsAre('A', 'b', '1'));
}

TEST_F(BootSectorTest, AGuestThatWaitsForAKeyEndsAndSaysSo) {
  const Outcome outcome = run(guests::echo_keys);
  EXPECT_THAT(outcome, MetStopCondition());
  EXPECT_THAT(summary(outcome),
              HasSubstr("it waits for a key (INT 16h, AH = 00h), and none is typed"));
  bios().keys = "a";
  EXPECT_THAT(summary(run(guests::echo_keys)), HasSubstr("and all have been read"));
}

// Each run has the keys and the failures from the beginning, and the disk as it was inserted.
TEST_F(BootSectorTest, RunsAreAlike) {
  bios().keys = "x\n";
  bios().disk_failures = {{.after = 1, .times = 100}};
  const Disk disk{sector(guests::echo_keys)};
  const Outcome first = run(disk);
  const Outcome second = run(disk);
  EXPECT_THAT(first, Printed("x"));
  EXPECT_THAT(second, Printed("x"));
  EXPECT_THAT(second, WroteSectors({{.drive = 0, .lba = 5}}));
  EXPECT_TRUE(disk.written_sectors().empty()) << "the test's own";
}

TEST_F(BootSectorTest, AServiceOfTheTestsComesBeforeTheBioss) {
  unsigned reads = 0;
  machine().on_interrupt(Vector{0x13}, [&reads](Registers& registers) {
    ++reads;
    if (registers.ah() != 0x42) return false;
    registers.set_ah(0x80);
    registers.rflags.set(Rflags::kCf, true);
    return true;
  });
  EXPECT_THAT(run_from(kFirstHardDisk, two_stages()), ShowsText(0, "Disk error"));
  EXPECT_EQ(reads, 1U + 3 + 3) << "extensions?, three reads, three resets";
}

TEST_F(BootSectorTest, WhatTheBiosLacksIsToldByName) {
  // mov ax, 0xE881; int 0x15; hlt
  std::vector<std::uint8_t> code{0xB8, 0x81, 0xE8, 0xCD, 0x15, 0xF4};
  const Outcome outcome = run(RealModeImage{"e881", boot_sector(code)});
  EXPECT_TRUE(outcome.registers.rflags.cf());
  EXPECT_EQ(outcome.registers.ah(), 0x86);
  EXPECT_FALSE(outcome.bios_calls().at(0).is_known);
  EXPECT_THAT(report(outcome), HasSubstr("INT 15h, AX = E881h: a function that this BIOS does not "
                                         "have"));
}

TEST_F(BootSectorTest, RebootingEndsTheRun) {
  for (const std::vector<std::uint8_t>& way :
       {std::vector<std::uint8_t>{0xCD, 0x19}, {0xEA, 0xF0, 0xFF, 0x00, 0xF0}}) {
    std::vector<std::uint8_t> code = way;
    EXPECT_THAT(summary(run(RealModeImage{"reboot", boot_sector(code)})),
                HasSubstr("it rebooted (INT 19h, or a jump to F000:FFF0)"));
  }
}

// A fault in a guest that called services is replayed with the same answers.
TEST_F(BootSectorTest, AFaultAfterServicesIsExplained) {
  // mov ah, 0; int 0x16; mov ah, 0x0E; int 0x10; xor dx, dx; div dx
  std::vector<std::uint8_t> code{0xB4, 0,    0xCD, 0x16, 0xB4, 0x0E,
                                 0xCD, 0x10, 0x31, 0xD2, 0xF7, 0xF2};
  bios().keys = "k";
  const Outcome outcome = run(RealModeImage{"divide", boot_sector(code)});
  ASSERT_THAT(outcome, Raised(DivideError()));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.cause, "the divisor dx is 0");
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_EQ(diagnosis.history.size(), 5U);
  EXPECT_EQ(diagnosis.history.at(1).instruction, "int 0x16");
  EXPECT_THAT(diagnosis.history.at(1).changes, ::testing::SizeIs(1)) << "AX = 256Bh, the key";
  EXPECT_THAT(to_text(diagnosis), HasSubstr("the screen:\n|k\n"));
}

TEST_F(BootSectorTest, WhatCannotBootIsRefused) {
  EXPECT_THAT(message_of<SetupError>([this] {
                (void)run(RealModeImage{"halt", {0xF4}});
              }),
              HasSubstr("drive 0x80 is not bootable: its first sector ends in 00 00, and a BIOS "
                        "wants 55 aa"));
  EXPECT_THAT(message_of<SetupError>([this] { (void)machine().boot(0x81); }),
              HasSubstr("there is no disk in drive 0x81"));
  machine().set_memory_size(512 * kKiB);
  EXPECT_THAT(message_of<SetupError>([this] { (void)run(guests::hello_sector); }),
              HasSubstr("a guest needs 1 MiB of memory, and this one has 0x80000"));
  Machine protected_mode{CpuMode::kProtected32};
  EXPECT_THAT(message_of<SetupError>([&] { (void)protected_mode.boot(0x80); }),
              HasSubstr("a guest boots in real mode, and this one starts in protected32"));
}

// Old services are called by their vectors as they were.
TEST_F(BootSectorTest, AServiceCanBeCalledFarAndReplayed) {
  // mov ax, 0E61h; pushf; call far [40h]; xor cx, cx; div cx
  std::vector<std::uint8_t> code{0xB8, 0x61, 0x0E, 0x9C, 0xFF, 0x1E,
                                 0x40, 0x00, 0x31, 0xC9, 0xF7, 0xF1};
  const Outcome outcome = run(RealModeImage{"far", boot_sector(code)});
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_THAT(outcome, Printed("a"));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_EQ(diagnosis.history.size(), 4U);
}

// mov ah, 0; int 16h; mov bl, al; mov ax, 0301h; mov cx, 2; mov dx, 80h; int 13h; cli; hlt
TEST_F(BootSectorTest, ARunAfterABootHasTheBiosAnew) {
  const RealModeImage image{
      "anew", boot_sector({0xB4, 0, 0xCD, 0x16, 0x88, 0xC3, 0xB8, 0x01, 0x03, 0xB9, 2, 0, 0xBA,
                           0x80, 0, 0xCD, 0x13, 0xFA, 0xF4})};
  bios().keys = "a";
  EXPECT_EQ(run(image).registers.bl(), 'a');
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = machine().run(image);
    EXPECT_THAT(outcome, Halted()) << report(outcome);
    EXPECT_EQ(outcome.registers.bl(), 'a');
  }
}

// jmp 0:FF00h, where there are zeros up to the end of the segment
TEST_F(BootSectorTest, AJumpIntoNothingEndsWithTheSegment) {
  const Outcome outcome = run(RealModeImage{"zeros", boot_sector({0xEA, 0x00, 0xFF, 0x00, 0x00})});
  if (outcome.exception() == nullptr || outcome.exception()->vector != Vector::kGeneralProtection) {
    GTEST_SKIP() << "this host's processor is emulated, and lets IP wrap at 64 KiB";
  }
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_THAT(diagnosis.findings,
              ElementsAre("it ran past the end of its code segment: IP went beyond ffff"));
  EXPECT_EQ(diagnosis.left_image_at.value().instruction, "jmp far 0x0000:0xff00");
}

TEST_F(BootSectorTest, VectorsThatABiosLeavesToOthersReturn) {
  for (const std::uint8_t vector : std::vector<std::uint8_t>{0x1B, 0x1C, 0x4A, 0x70, 0x77}) {
    std::vector<std::uint8_t> code{0xCD, vector, 0xF4};
    EXPECT_THAT(run(RealModeImage{"int", boot_sector(code)}), Halted()) << int{vector};
  }
}

TEST_F(BootSectorTest, ADiskBeyondALoadersReachIsSparse) {
  const Disk disk{sector(guests::hello_sector), at(1ULL << 31U, RealModeImage{"far", {1}})};
  EXPECT_EQ(disk.sectors(), (1ULL << 31U) + 1);
  EXPECT_THAT(run(disk), ShowsText(0, "Hello, world"));
  EXPECT_THAT(message_of<SetupError>([] {
                (void)Disk{at(1ULL << 55U, RealModeImage{"far", {1}})};
              }),
              HasSubstr("far at sector 36028797018963968: a disk can have 2^32 sectors"));
  bios().conventional_kib = 640;
  EXPECT_THAT(run(disk), ShowsText(0, "Hello, world"));
  bios().conventional_kib = 641;
  EXPECT_THAT(message_of<SetupError>([&] { (void)run(disk); }),
              HasSubstr("bios().conventional_kib = 641: it can be 640 at most"));
}

}  // namespace
