// The master boot record that Debian's install-mbr (package mbr) puts on a disk, with its own
// texts. It waits a second for a key, and asks which partition to boot where none is active.
#include <hltest/hltest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "../boot_sector.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr const char* kInstallMbr = "/sbin/install-mbr";

class InstallMbrTest : public BootSectorTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kInstallMbr)) {
      GTEST_SKIP() << kInstallMbr << " is missing: its package mbr";
    }
    BootSectorTest::SetUp();
  }
  ~InstallMbrTest() override { std::filesystem::remove(image_); }

  // A disk with these partitions, each of which prints a letter, and install-mbr's boot code.
  Disk disk(std::vector<Partition> partitions) {
    char letter = 'P';
    for (Partition& each : partitions) {
      // mov ax, 0x0E00 | letter; int 0x10; cli; hlt
      std::vector<std::uint8_t> prints{
          0xB8, static_cast<std::uint8_t>(letter++), 0x0E, 0xCD, 0x10, 0xFA, 0xF4};
      each.sectors = 100;
      each.type = 0x83;
      each.content = {sector(FlatImage{"prints", boot_sector(prints)})};
    }
    std::filesystem::remove(image_);
    { std::ofstream{image_}; }
    std::filesystem::resize_file(image_, 1U << 20U);
    const std::string command = std::string{kInstallMbr} + " --force " + image_;
    EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c): a path of our own
    const Disk installed = Disk::of_file(image_);
    Disk disk = mbr_disk(FlatImage{"halts", {0xF4}}, partitions);
    const std::vector<std::uint8_t> code = installed.read_bytes(0, 446);
    disk.write_bytes(0, code);
    return disk;
  }

 private:
  std::string image_ = ::testing::TempDir() + "hltest_mbr_" + std::to_string(getpid());
};

TEST_F(InstallMbrTest, AsksWithoutAnActivePartition) {
  const Outcome outcome = run(disk({{.first = 63}}));
  EXPECT_THAT(outcome, ShowsText(0, "MBR FA:"));
  EXPECT_THAT(summary(outcome), HasSubstr("it waits for a key (INT 16h, AH = 00h)"));
}

TEST_F(InstallMbrTest, BootsTheActivePartitionAfterAWhile) {
  const Outcome outcome = run(disk({{.first = 63}, {.first = 200, .is_active = true}}));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, "MBR"));
  EXPECT_THAT(outcome, ShowsText(1, "Q"));
  EXPECT_THAT(outcome, ReadSectors({{.lba = 200, .memory = Gpa{0x7C00}}}));
}

TEST_F(InstallMbrTest, AKeyChoosesOneOfTwoActivePartitions) {
  const Disk two = disk({{.first = 63, .is_active = true}, {.first = 200, .is_active = true}});
  EXPECT_THAT(run(two), ShowsText(1, "P"));
  bios().keys = "2";
  const Outcome outcome = run(two);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, "MBR 12FA:"));
  EXPECT_THAT(outcome, ShowsText(1, "Q"));
}

TEST_F(InstallMbrTest, ADiskThatFailsIsAskedForAgain) {
  bios().disk_failures = {{.times = 1000}};
  const Outcome outcome = run(disk({{.first = 63, .is_active = true}}));
  EXPECT_THAT(outcome, Printed(HasSubstr("MBR 1FA:")));
  EXPECT_THAT(outcome, ReadSectors({}));
}

}  // namespace
