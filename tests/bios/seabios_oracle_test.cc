// The tree's boot sectors, in hltest and in QEMU with SeaBIOS: both must leave the same.
#include <fstream>
#include <iterator>

#include "../boot_sector.h"
#include "guests/boot.h"
#include "guests/second_stage.h"
#include "oracle.h"

namespace hltest::oracle {
namespace {

using SeabiosOracleTest = OracleTest;

// What of the BIOS data area is not compared.
std::vector<ExcludedMemory> of_the_data_area() {
  return {{Gpa{0x410}, 1, "bit 2: QEMU has a mouse; the others are compared apart"},
          {Gpa{0x46C}, 4, "the time of day, in ticks"},
          {Gpa{0x476}, 1, "the controller of SeaBIOS's hard disk"},
          {Gpa{0x47C}, 1, "how long SeaBIOS waits for COM1"},
          {Gpa{0x48F}, 1, "the controller of SeaBIOS's floppy drives"},
          {Gpa{0x4A8}, 4, "an address in the ROM of SeaBIOS's VGA BIOS"},
          {Gpa{0x4B0}, 0x50, "the VGA BIOS's own"}};
}

TEST_F(SeabiosOracleTest, TheDataAreaAtTheStart) {
  constexpr Gpa kEquipment{0x410};
  constexpr unsigned kMouse = 4;
  std::vector<std::uint8_t> code{0xF4};  // hlt
  const RealModeImage halts{"halts", boot_sector(code)};
  compare({.disks = {{kFirstFloppy, Disk{2880}}, {kFirstHardDisk, hard_disk(halts)}},
           .memory = {{.from = Gpa{0x400}, .size = 0x100}},
           .excluded_memory = of_the_data_area()});
  ASSERT_NE(qemu_, nullptr);
  EXPECT_EQ(memory().read<std::uint8_t>(kEquipment) | kMouse, qemu_->read(kEquipment, 1).at(0));
}

// Registers of the second stage.
const std::map<std::string, std::string>& of_the_memory_map() {
  static const std::map<std::string, std::string> kExcluded = {
      {"rbx", "the number of ranges: SeaBIOS has more, for its ACPI tables"},
      {"rbp", "the same number"}};
  return kExcluded;
}

// Its code, and three ranges of the memory map, which begin every PC's. Not its GDT: QEMU leaves
// the accessed bit of a code segment clear at a far jump, where a processor sets it (SDM vol.
// 3, 3.4.5.1).
std::vector<OwnedMemory> of_the_second_stage() {
  const Gpa begin = guests::second_stage.load_address();
  const std::uint64_t code = guests::second_stage.address("gdt").value() - begin.value();
  return {{.from = begin, .size = code}, {.from = Gpa{0x5000}, .size = 60}};
}

TEST_F(SeabiosOracleTest, HelloSector) {
  compare({.disks = {{kFirstHardDisk, hard_disk(guests::hello_sector)}}});
}

TEST_F(SeabiosOracleTest, HelloSectorOnAFloppy) {
  compare({.disks = {{kFirstFloppy, floppy(guests::hello_sector)}}, .boot = kFirstFloppy});
}

TEST_F(SeabiosOracleTest, TwoStagesToLongMode) {
  const Disk disk{sector(guests::load_second_stage), at(1, guests::second_stage)};
  compare({.disks = {{kFirstFloppy, disk}},
           .boot = kFirstFloppy,
           .memory = of_the_second_stage(),
           .excluded = of_the_memory_map()});
}

TEST_F(SeabiosOracleTest, TwoStagesFromAHardDisk) {
  const Disk disk{sector(guests::load_second_stage), at(1, guests::second_stage),
                  at(19'999, RealModeImage{"last", {0x4C}})};
  compare({.disks = {{kFirstHardDisk, disk}},
           .memory = of_the_second_stage(),
           .excluded = of_the_memory_map()});
}

TEST_F(SeabiosOracleTest, CountTicks) {
  compare({.disks = {{kFirstHardDisk, hard_disk(guests::count_ticks)}}});
}

TEST_F(SeabiosOracleTest, EchoKeys) {
  compare({.disks = {{kFirstHardDisk, hard_disk(guests::echo_keys)}},
           .keys = "Ab1\n",
           .memory = {{.from = Gpa{0x8000}, .size = 0x200}}});
}

TEST_F(SeabiosOracleTest, ReadScanCodes) {
  compare({.disks = {{kFirstHardDisk, hard_disk(guests::read_scan_codes)}},
           .keys = "az",
           .ready = guests::read_scan_codes.address(".wait"),
           .memory = {{.from = Gpa{0x8000}, .size = 8}}});
}

// A disk that the MBR in this file boots: its only partition prints "P". Nothing without the file.
std::optional<Disk> partitioned_disk(const char* mbr) {
  constexpr std::uint64_t kPartition = 64;  // cylinder 0, head 1, sector 2
  std::ifstream file{mbr, std::ios::binary};
  if (!file) return std::nullopt;
  std::vector<std::uint8_t> code{std::istreambuf_iterator<char>{file}, {}};
  Disk disk{20'000};
  disk.write_bytes(0, code);
  disk.write_bytes(0x1BE, std::vector<std::uint8_t>{0x80, 1, 2, 0, 0x83, 1, 63, 0, kPartition, 0, 0,
                                                    0, 100, 0, 0, 0});
  // mov ax, 0E50h; int 10h; cli; hlt
  disk.write_bytes(kPartition * Disk::kSectorSize,
                   std::vector<std::uint8_t>{0xB8, 0x50, 0x0E, 0xCD, 0x10, 0xFA, 0xF4});
  for (const std::uint64_t sector : {std::uint64_t{0}, kPartition}) {
    disk.write_bytes(sector * Disk::kSectorSize + 510, std::vector<std::uint8_t>{0x55, 0xAA});
  }
  return disk;
}

// Syslinux's, which looks for the extensions, reads, moves itself, and leaves its registers.
TEST_F(SeabiosOracleTest, APublishedMbr) {
  constexpr const char* kMbr = "/usr/lib/syslinux/mbr/mbr.bin";
  const std::optional<Disk> disk = partitioned_disk(kMbr);
  if (!disk) GTEST_SKIP() << kMbr << " is missing: the package syslinux-common has it";
  compare({.disks = {{kFirstHardDisk, *disk}},
           .memory = {{.from = Gpa{0x600}, .size = 0x200}, {.from = Gpa{0x7C00}, .size = 0x200}}});
}

TEST_F(SeabiosOracleTest, TheTimerInProtectedMode) {
  if (const HostCan can{Ability::kIret}; !can) GTEST_SKIP() << can.reason;
  compare({.disks = {{kFirstHardDisk, hard_disk(guests::protected_timer)}}});
}

}  // namespace
}  // namespace hltest::oracle
