// The IDE channel: commands and PIO transfers.
#include "devices/ide.h"

#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "wired.h"

namespace hltest::internal {
namespace {

constexpr Vector kIrq14{0x76};

class IdeTest : public ::testing::Test {
 protected:
  IdeTest() {
    Disk::Sector sector{};
    for (std::uint64_t lba = 0; lba < 300; ++lba) {
      sector[0] = static_cast<std::uint8_t>(lba);
      sector[511] = static_cast<std::uint8_t>(lba >> 8U);
      disk_.write(lba, sector);
    }
  }
  void command(std::uint8_t count, std::uint64_t lba, std::uint8_t command,
               std::uint8_t device = 0xE0) {
    wired_.out(0x1F6, device | (lba >> 24U & 0x0FU));
    wired_.out(0x1F2, count);
    wired_.out(0x1F3, lba & 0xFFU);
    wired_.out(0x1F4, lba >> 8U & 0xFFU);
    wired_.out(0x1F5, lba >> 16U & 0xFFU);
    wired_.out(0x1F7, command);
  }
  std::uint64_t status() { return wired_.in(0x1F7); }
  // The first and the last byte of a sector.
  std::uint64_t read_sector() {
    const std::uint64_t head = wired_.in(0x1F0, 2);
    for (int i = 0; i < 254; ++i) wired_.in(0x1F0, 2);
    return (head & 0xFFU) | (wired_.in(0x1F0, 2) & 0xFF00U);
  }
  bool take_interrupt() {
    const bool is_requested = pic_->interrupt() == kIrq14;
    if (is_requested) pic_->acknowledge(kIrq14);
    pic_->end_of_interrupt(14);
    return is_requested;
  }

  Disk disk_{100'000};
  std::shared_ptr<Pic> pic_ = std::make_shared<Pic>();
  Ide ide_{pic_, [this](unsigned device) { return device == 0 ? &disk_ : nullptr; }};
  Wired wired_{ide_};
};

TEST_F(IdeTest, ReadsByLba) {
  command(2, 258, 0x20);
  EXPECT_EQ(status(), 0x58U) << "data is there";
  EXPECT_TRUE(take_interrupt());
  EXPECT_EQ(read_sector(), 258U);
  EXPECT_EQ(status(), 0x58U);
  EXPECT_TRUE(take_interrupt()) << "of the second sector";
  EXPECT_EQ(read_sector(), 259U);
  EXPECT_EQ(status(), 0x50U) << "that was all";
  EXPECT_FALSE(take_interrupt());
  EXPECT_EQ(wired_.in(0x1F0, 2), 0U);
}

TEST_F(IdeTest, ACountOf0Is256) {
  command(0, 10, 0x20);
  for (unsigned i = 0; i < 256; ++i) ASSERT_EQ(read_sector(), 10 + i);
  EXPECT_EQ(status(), 0x50U);
}

TEST_F(IdeTest, ReadsByCylinderHeadAndSector) {
  const DiskGeometry geometry = disk_.geometry();
  command(1, 1, 0x20, 0xA2);  // cylinder 0, head 2, sector 1
  EXPECT_EQ(read_sector(), 2 * geometry.sectors);
  command(1, 0, 0x20, 0xA0);
  EXPECT_EQ(status(), 0x51U) << "there is no sector 0";
  EXPECT_EQ(wired_.in(0x1F1), 0x10U);
  command(1, geometry.sectors + 1, 0x20, 0xA0);
  EXPECT_EQ(status(), 0x51U);
}

TEST_F(IdeTest, ReadsBy48BitLba) {
  wired_.out(0x1F6, 0xE0);
  for (const auto& [port, value] : {std::pair{0x1F2, 0},
                                    {0x1F3, 0},
                                    {0x1F4, 0},
                                    {0x1F5, 0},
                                    {0x1F2, 1},
                                    {0x1F3, 0x2A},
                                    {0x1F4, 1},
                                    {0x1F5, 0}}) {
    wired_.out(static_cast<Port>(port), static_cast<std::uint64_t>(value));
  }
  wired_.out(0x1F7, 0x24);
  EXPECT_EQ(read_sector(), 0x12AU);
  EXPECT_EQ(status(), 0x50U);
  wired_.out(0x1F3, 1);  // the upper half of the LBA: far beyond the end
  wired_.out(0x1F3, 0);
  wired_.out(0x1F7, 0x24);
  EXPECT_EQ(status(), 0x51U);
}

TEST_F(IdeTest, Writes) {
  command(2, 500, 0x30);
  EXPECT_EQ(status(), 0x58U);
  EXPECT_FALSE(take_interrupt()) << "the first sector is asked for by the status";
  for (int i = 0; i < 256; ++i) wired_.out(0x1F0, 0x1234, 2);
  EXPECT_EQ(status(), 0x58U);
  EXPECT_TRUE(take_interrupt());
  for (int i = 0; i < 128; ++i) wired_.out(0x1F0, 0x5678'9ABC, 4);
  EXPECT_EQ(status(), 0x50U);
  EXPECT_TRUE(take_interrupt());
  EXPECT_EQ(disk_.read(500)[510], 0x34);
  EXPECT_EQ(disk_.read(500)[511], 0x12);
  EXPECT_EQ(disk_.read(501)[3], 0x56);
  wired_.out(0x1F0, 0, 2);
  EXPECT_EQ(disk_.read(502)[0], 0) << "no more is taken";
}

TEST_F(IdeTest, RefusesWhatTheDiskLacks) {
  command(1, 99'999, 0x20);
  EXPECT_EQ(status(), 0x58U) << "the last sector";
  command(1, 100'000, 0x20);
  EXPECT_EQ(status(), 0x51U);
  EXPECT_EQ(wired_.in(0x1F1), 0x10U) << "not found";
  command(2, 99'999, 0x20);
  read_sector();
  EXPECT_EQ(status(), 0x51U) << "beyond the end";
  command(2, 99'999, 0x30);
  for (int i = 0; i < 512; ++i) wired_.out(0x1F0, 1, 2);
  EXPECT_EQ(status(), 0x51U);
  command(1, 0, 0xFF);
  EXPECT_EQ(wired_.in(0x1F1), 0x04U) << "aborted";
  command(2, 99'998, 0x40);
  EXPECT_EQ(status(), 0x50U) << "verified";
  command(3, 99'998, 0x40);
  EXPECT_EQ(status(), 0x51U);
}

TEST_F(IdeTest, Identifies) {
  command(0, 0, 0xEC);
  std::vector<std::uint16_t> words;
  for (int i = 0; i < 256; ++i) {
    words.push_back(static_cast<std::uint16_t>(wired_.in(0x1F0, 2)));
  }
  const DiskGeometry geometry = disk_.geometry();
  EXPECT_EQ(words[1], geometry.cylinders);
  EXPECT_EQ(words[3], geometry.heads);
  EXPECT_EQ(words[6], geometry.sectors);
  EXPECT_EQ(words[27], 'h' << 8 | 'l') << "the high byte comes first";
  EXPECT_NE(words[49] & 0x200, 0) << "LBA";
  EXPECT_EQ(words[60] | words[61] << 16, 100'000);
  EXPECT_NE(words[83] & 0x400, 0) << "48 bits";
  EXPECT_EQ(words[100] | words[101] << 16, 100'000);
  EXPECT_EQ(status(), 0x50U);
}

TEST_F(IdeTest, WithoutADeviceTheStatusIs0) {
  command(1, 0, 0x20, 0xF0);
  EXPECT_EQ(status(), 0U);
  EXPECT_FALSE(take_interrupt());
  wired_.out(0x1F6, 0xE0);
  EXPECT_EQ(status(), 0x50U);
}

TEST_F(IdeTest, ADeviceThatIsNotThereEndsATransfer) {
  command(2, 0, 0x20);
  wired_.out(0x1F6, 0xF0);
  read_sector();
  wired_.out(0x1F6, 0xE0);
  EXPECT_EQ(status(), 0x51U);
  command(2, 0, 0x30);
  wired_.out(0x1F6, 0xF0);
  for (int i = 0; i < 256; ++i) wired_.out(0x1F0, 0, 2);
  wired_.out(0x1F6, 0xE0);
  EXPECT_EQ(status(), 0x51U);
  EXPECT_TRUE(disk_.read(0)[0] == 0 && disk_.read(1)[0] == 1) << "nothing was written";
}

TEST_F(IdeTest, NoInterruptsAndResetByTheControlRegister) {
  wired_.out(0x3F6, 2);
  command(1, 0, 0x20);
  EXPECT_FALSE(take_interrupt());
  EXPECT_EQ(wired_.in(0x3F6), 0x58U) << "the alternate status";
  wired_.out(0x3F6, 6);
  wired_.out(0x3F6, 2);
  EXPECT_EQ(status(), 0x50U);
  EXPECT_EQ(wired_.in(0x1F1), 1U);
  EXPECT_EQ(wired_.in(0x1F2), 1U) << "the signature of a disk";
  EXPECT_EQ(wired_.in(0x1F3), 1U);
  EXPECT_EQ(wired_.in(0x1F4), 0U);
  EXPECT_EQ(wired_.in(0x1F5), 0U);
}

TEST_F(IdeTest, ItsStateIsSavedAndRestored) {
  command(1, 7, 0x20);
  wired_.in(0x1F0, 2);
  const std::vector<std::uint8_t> state = ide_.save();
  command(1, 8, 0x20);
  ide_.restore(state);
  for (int i = 0; i < 254; ++i) wired_.in(0x1F0, 2);
  EXPECT_EQ(status(), 0x58U);
  wired_.in(0x1F0, 2);
  EXPECT_EQ(status(), 0x50U);
}

// A loader without a BIOS: reads sector 1 of drive 0x80 to 0x8000 by insw.
TEST_F(BootSectorTest, ALoaderReadsByPorts) {
  std::vector<std::uint8_t> code = {
      0x31, 0xC0, 0x8E, 0xC0, 0xBF, 0x00, 0x80, 0xFC,  // es = 0, di = 0x8000, cld
      0xBA, 0xF6, 0x01, 0xB0, 0xE0, 0xEE,              // the device
      0xBA, 0xF2, 0x01, 0xB0, 0x01, 0xEE,              // one sector
      0x42, 0xEE,                                      // LBA 1
      0x42, 0xB0, 0x00, 0xEE, 0x42, 0xEE,              // mid, high
      0xBA, 0xF7, 0x01, 0xB0, 0x20, 0xEE,              // read
      0xEC, 0xA8, 0x08, 0x74, 0xFB,                    // wait for data
      0xBA, 0xF0, 0x01, 0xB9, 0x00, 0x01, 0xF3, 0x6D,  // rep insw
      0xFA, 0xF4};
  code = boot_sector(code);
  for (unsigned i = 0; i < 512; ++i) code.push_back(static_cast<std::uint8_t>(i));
  const Outcome outcome = run_from(kFirstHardDisk, Disk::of_bytes(code));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x8000}), 0x0302'0100U);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x81FC}), 0xFFFE'FDFCU);
}

}  // namespace
}  // namespace hltest::internal
