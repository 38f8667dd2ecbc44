// INT 13h.
#include "service_harness.h"

namespace hltest::internal {
namespace {

constexpr std::uint64_t kTo = 0x2000;

class DiskServiceTest : public ServiceTest {
 protected:
  DiskServiceTest() {
    for (const std::uint64_t lba : {0U, 1U, 62U, 63U, 63U * 16, 19'999U}) {
      Disk::Sector sector{};
      sector[0] = static_cast<std::uint8_t>(lba);
      sector[1] = static_cast<std::uint8_t>(lba >> 8U);
      disk().write(lba, sector);
    }
  }
  Disk& disk() { return bios_.drives.at(kFirstHardDisk); }

  // Reads `count` sectors to ES:BX = 0000:2000.
  Registers read(unsigned cylinder, unsigned head, unsigned sector, unsigned count = 1,
                 unsigned drive = 0x80) {
    return call(0x13, {.rax = 0x0200 | count,
                       .rbx = kTo,
                       .rcx = (cylinder & 0xFFU) << 8U | (cylinder >> 2U & 0xC0U) | sector,
                       .rdx = head << 8U | drive});
  }
  [[nodiscard]] std::uint16_t first_word() const { return memory_.read<std::uint16_t>(Gpa{kTo}); }

  // Puts a packet at 0x600 and calls the function.
  Registers by_packet(unsigned ah, std::uint16_t count, std::uint64_t lba, std::uint8_t size = 16) {
    memory_.write<std::array<std::uint16_t, 4>>(Gpa{0x600}, {size, count, kTo, 0});
    memory_.write<std::uint64_t>(Gpa{0x608}, lba);
    return call(0x13, {.rax = ah << 8U, .rdx = 0x80, .rsi = 0x600});
  }
};

TEST_F(DiskServiceTest, ReadsByCylinderHeadAndSector) {
  const Registers first = read(0, 0, 1);
  EXPECT_FALSE(first.rflags.cf());
  EXPECT_EQ(first.ax(), 0x0001) << "AH: no error; AL: a sector";
  EXPECT_EQ(read(0, 0, 63).ah(), 0);
  EXPECT_EQ(first_word(), 62);
  read(0, 1, 1);
  EXPECT_EQ(first_word(), 63);
  read(1, 0, 1);
  EXPECT_EQ(first_word(), 63 * 16);
  ASSERT_TRUE(call_.transfer.has_value());
  EXPECT_EQ(to_string(*call_.transfer), "read sector 1008 of drive 0x80 to 0x2000");
  EXPECT_EQ(call_.name, "read 1 sector from 1008 of drive 0x80, memory 0x2000");
}

TEST_F(DiskServiceTest, SaysWhatWasAskedForAndWhyNot) {
  read(0, 0, 0, 2);
  EXPECT_EQ(call_.name,
            "read 2 sectors at cylinder 0, head 0, sector 0 of drive 0x80, which has 19 cylinders, "
            "16 heads and 63 sectors");
  read(0, 0, 1, 1, 0x85);
  EXPECT_EQ(call_.name,
            "read 1 sector at cylinder 0, head 0, sector 1 of drive 0x85, which has no disk");
  by_packet(0x43, 129, 7);
  EXPECT_EQ(call_.name, "write 129 sectors from 7 of drive 0x80 by a packet of 16 bytes");
  bios_.drives.emplace(kFirstFloppy, Disk{2880});
  call(0x13, {.rax = 0x0202, .rbx = 0xFE00, .rcx = 1, .rdx = 0});
  EXPECT_EQ(call_.name,
            "read 2 sectors at cylinder 0, head 0, sector 1 of drive 0x0, memory 0xfe00: across 64 "
            "KiB");
}

// F000:FE00 is 1 MiB less a sector. The IVT is at the beginning.
TEST_F(DiskServiceTest, ATransferGoesThroughAClosedA20Gate) {
  memory_ = GuestMemory{2 * kMiB, CpuMode::kReal16};
  const auto transfer = [this](unsigned ah) {
    call(0x13, {.rax = ah << 8U | 2U, .rbx = 0xFF00, .rcx = 1, .rdx = 0x80}, 0xF000);
  };
  Disk::Sector sector{};
  sector.fill(0x5A);
  disk().write(0, sector);
  disk().write(1, sector);
  transfer(0x02);
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0}), 0);
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x1000FF}), 0x5A);
  memory_.fill(Gpa{kMiB}, 0x400, 0);
  a20_is_open_ = false;
  transfer(0x02);
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0xFF}), 0x5A) << "of the first sector";
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x2FF}), 0x5A) << "of the second";
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x300}), 0);
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x100000}), 0);
  memory_.fill(Gpa{0}, 0x300, 0x77);
  transfer(0x03);
  EXPECT_EQ(disk().read(0)[511], 0x77);
  EXPECT_EQ(disk().read(1)[0], 0x77);
}

TEST_F(DiskServiceTest, RefusesPlacesThatTheDiskLacks) {
  for (const auto& [cylinder, head, sector] :
       {std::tuple{0U, 0U, 0U}, {0U, 16U, 1U}, {19U, 0U, 1U}, {1023U, 0U, 1U}}) {
    const Registers after = read(cylinder, head, sector);
    EXPECT_TRUE(after.rflags.cf());
    EXPECT_EQ(after.ax(), 0x0400) << "sector not found, none read";
    EXPECT_FALSE(call_.transfer.has_value());
  }
  EXPECT_EQ(read(0, 0, 1, 0).ah(), 0x01) << "no sectors";
  EXPECT_EQ(read(0, 0, 1, 129).ah(), 0x01);
  EXPECT_FALSE(read(0, 0, 1, 128).rflags.cf());
  EXPECT_EQ(read(0, 0, 1, 1, 0x81).ah(), 0x80) << "no such drive";
  EXPECT_EQ(call(0x13, {.rax = 0x0100, .rdx = 0x80}).ah(), 0x80) << "the last status";
  EXPECT_EQ(call(0x13, {.rax = 0x0100, .rdx = 0}).ah(), 0) << "not the floppy drives'";
}

TEST_F(DiskServiceTest, ACountThatReachesBeyondTheEndReadsWhatThereIs) {
  const Registers after = by_packet(0x42, 4, 19'998);
  EXPECT_TRUE(after.rflags.cf());
  EXPECT_EQ(after.ah(), 0x04);
  EXPECT_EQ(memory_.read<std::uint16_t>(Gpa{0x602}), 2) << "in the packet";
  EXPECT_EQ(memory_.read<std::uint16_t>(Gpa{kTo + 512}), 19'999);
}

// A floppy's DMA can't cross 64 KiB of physical addresses; a hard disk's has no such limit.
TEST_F(DiskServiceTest, AFloppysTransferStaysWithin64KiB) {
  bios_.drives.emplace(kFirstFloppy, Disk{2880});
  const auto at = [this](unsigned drive, std::uint16_t offset) {
    return call(0x13, {.rax = 0x0202, .rbx = offset, .rcx = 1, .rdx = drive}, 0x1000).ah();
  };
  EXPECT_EQ(at(0, 0xFC00), 0);
  EXPECT_EQ(at(0, 0xFC01), 0x09);
  EXPECT_EQ(at(0x80, 0xFC01), 0);
}

TEST_F(DiskServiceTest, WritesAndVerifies) {
  memory_.write_string(Gpa{kTo}, "written");
  EXPECT_FALSE(call(0x13, {.rax = 0x0301, .rbx = kTo, .rcx = 3, .rdx = 0x80}).rflags.cf());
  EXPECT_EQ(disk().read(2)[0], 'w');
  EXPECT_TRUE(call_.transfer.value().is_write);
  EXPECT_FALSE(call(0x13, {.rax = 0x0401, .rbx = kTo, .rcx = 3, .rdx = 0x80}).rflags.cf());
  EXPECT_FALSE(by_packet(0x43, 1, 7).rflags.cf());
  EXPECT_EQ(disk().read(7)[0], 'w');
  memory_.fill(Gpa{kTo}, 512, 0);
  EXPECT_FALSE(by_packet(0x44, 1, 7).rflags.cf());
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{kTo}), 0) << "verifying reads nothing";
}

TEST_F(DiskServiceTest, PacketsAreChecked) {
  EXPECT_FALSE(by_packet(0x42, 1, 63).rflags.cf());
  EXPECT_EQ(first_word(), 63);
  EXPECT_EQ(by_packet(0x42, 1, 0, 15).ah(), 0x01) << "too short";
  EXPECT_EQ(by_packet(0x42, 0, 0).ah(), 0x00) << "no sectors are no error (EDD-3, 8.22)";
  EXPECT_EQ(by_packet(0x42, 129, 0).ah(), 0x01);
  EXPECT_FALSE(by_packet(0x42, 128, 0).rflags.cf());
  bios_.settings.has_disk_extensions = false;
  EXPECT_TRUE(by_packet(0x42, 1, 0).rflags.cf());
  EXPECT_FALSE(call_.is_known);
}

TEST_F(DiskServiceTest, SeeksByAPacket) {
  EXPECT_FALSE(by_packet(0x47, 1, 63).rflags.cf());
  EXPECT_TRUE(call_.is_known) << "AH = 41h says that the function is there";
  EXPECT_TRUE(by_packet(0x47, 1, 20'000).rflags.cf());
}

TEST_F(DiskServiceTest, TellsParameters) {
  const Registers chs = call(0x13, {.rax = 0x0800, .rdx = 0x80});
  EXPECT_EQ(chs.dh(), 15) << "the last head";
  EXPECT_EQ(chs.cl() & 0x3F, 63);
  EXPECT_EQ(chs.ch(), 17) << "the last cylinder of 19, without the one for diagnostics";
  EXPECT_EQ(chs.dl(), 1) << "drives";
  EXPECT_EQ(call(0x13, {.rax = 0x1500, .rdx = 0x80}).ah(), 3);
  EXPECT_EQ(call_.after.dx(), 18 * 16 * 63);
  const Registers extensions = call(0x13, {.rax = 0x4100, .rbx = 0x55AA, .rdx = 0x80});
  EXPECT_EQ(extensions.bx(), 0xAA55);
  EXPECT_EQ(extensions.cx() & 1, 1);
  EXPECT_FALSE(extensions.rflags.cf());
  EXPECT_TRUE(call(0x13, {.rax = 0x4100, .rbx = 0x55AB, .rdx = 0x80}).rflags.cf());
  memory_.write<std::uint16_t>(Gpa{0x600}, 26);
  EXPECT_FALSE(call(0x13, {.rax = 0x4800, .rdx = 0x80, .rsi = 0x600}).rflags.cf());
  EXPECT_EQ(memory_.read<std::uint64_t>(Gpa{0x610}), 20'000U);
  EXPECT_EQ(memory_.read<std::uint16_t>(Gpa{0x618}), 512);
  memory_.write<std::uint16_t>(Gpa{0x600}, 25);
  EXPECT_TRUE(call(0x13, {.rax = 0x4800, .rdx = 0x80, .rsi = 0x600}).rflags.cf());
}

TEST_F(DiskServiceTest, AFloppysParameters) {
  bios_.drives.emplace(kFirstFloppy, Disk{2880});
  const Registers after = call(0x13, {.rax = 0x0800, .rdx = 0});
  EXPECT_EQ(after.bl(), 4) << "1.44 MB";
  EXPECT_EQ(after.cx(), 79U << 8U | 18U);
  EXPECT_EQ(after.dx(), 0x0101);
  EXPECT_EQ(after.es.base.value() + after.di(), kDisketteParameters.value());
  EXPECT_EQ(call(0x13, {.rax = 0x1500, .rdx = 0}).ah(), 1);
}

TEST_F(DiskServiceTest, FailuresComeInTheirPlace) {
  bios_.settings.disk_failures = {{.status = 0x10, .after = 1, .times = 2}};
  EXPECT_EQ(read(0, 0, 1).ah(), 0);
  EXPECT_EQ(read(0, 0, 1).ah(), 0x10);
  EXPECT_EQ(call(0x13, {.rax = 0x0000, .rdx = 0x80}).ah(), 0) << "a reset is no transfer";
  EXPECT_EQ(read(0, 0, 1).ax(), 0x1000) << "none was read";
  EXPECT_EQ(read(0, 0, 1).ah(), 0);
}

// As most BIOSes: a loader that relies on them for floppies fails elsewhere.
TEST_F(DiskServiceTest, FloppiesHaveNoExtensions) {
  bios_.drives.emplace(kFirstFloppy, Disk{2880});
  EXPECT_TRUE(call(0x13, {.rax = 0x4100, .rbx = 0x55AA, .rdx = 0}).rflags.cf());
  memory_.write<std::array<std::uint16_t, 4>>(Gpa{0x600}, {16, 1, kTo, 0});
  EXPECT_TRUE(call(0x13, {.rax = 0x4200, .rdx = 0, .rsi = 0x600}).rflags.cf());
}

TEST_F(DiskServiceTest, WhatOnlyHardDisksAreToldToDo) {
  bios_.drives.emplace(kFirstFloppy, Disk{2880});
  for (const unsigned ah : {0x09U, 0x0CU, 0x0DU, 0x10U, 0x11U, 0x14U}) {
    EXPECT_EQ(call(0x13, {.rax = ah << 8U, .rcx = 1, .rdx = 0x80}).ah(), 0) << ah;
    EXPECT_FALSE(call_.after.rflags.cf());
    EXPECT_TRUE(call_.is_known);
    EXPECT_EQ(call(0x13, {.rax = ah << 8U, .rcx = 1, .rdx = 0}).ah(), 1) << ah;
    EXPECT_TRUE(call_.after.rflags.cf());
  }
}

TEST_F(DiskServiceTest, AFailureIsToldAsOne) {
  read(0, 0, 1);
  EXPECT_EQ(to_string(call_),
            "INT 13h, AX = 0201h: read 1 sector from 0 of drive 0x80, memory 0x2000");
  bios_.settings.disk_failures = {{.after = 1}};
  read(0, 0, 1);
  EXPECT_EQ(
      to_string(call_),
      "INT 13h, AX = 0201h: read 1 sector from 0 of drive 0x80, memory 0x2000: failed, AH = 20h");
}

// No address of a guest's reaches outside its memory.
TEST_F(DiskServiceTest, TransfersOutsideMemoryGoNowhere) {
  GuestMemory small{1 * kMiB, CpuMode::kReal16};
  memory_ = std::move(small);
  put_bios_data(bios_.settings, 0, 1, memory_);
  EXPECT_FALSE(
      call(0x13, {.rax = 0x0201, .rbx = 0xFFF0, .rcx = 1, .rdx = 0x80}, 0xFFFF).rflags.cf());
  EXPECT_FALSE(
      call(0x13, {.rax = 0x0301, .rbx = 0xFFF0, .rcx = 1, .rdx = 0x80}, 0xFFFF).rflags.cf());
  EXPECT_EQ(disk().read(0)[0], 0xFF) << "a floating bus";
  EXPECT_TRUE(call(0x13, {.rax = 0x4200, .rdx = 0x80, .rsi = 0xFFFF}, 0, 0xFFFF).rflags.cf());
}

}  // namespace
}  // namespace hltest::internal
