// Boot sectors that Debian's packages publish, with the texts that are their own. A package that is
// missing is a skipped test; .ci/run installs them.
#include <hltest/hltest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "../boot_sector.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr std::uint64_t kFirstPartition = 64;

class PublishedSectorsTest : public BootSectorTest {
 protected:
  static std::optional<FlatImage> boot_code(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    return FlatImage{path, {std::istreambuf_iterator<char>{file}, {}}};
  }
  // A partition that prints "P".
  static Partition partition(std::uint64_t first, bool is_active) {
    // mov ax, 0x0E50; int 0x10; cli; hlt
    std::vector<std::uint8_t> prints{0xB8, 0x50, 0x0E, 0xCD, 0x10, 0xFA, 0xF4};
    return {.first = first,
            .sectors = 100,
            .type = 0x83,
            .is_active = is_active,
            .content = {sector(FlatImage{"prints", boot_sector(prints)})}};
  }
  // A volume with a boot sector and a file.
  static FatVolume volume(std::uint64_t first) {
    return {.files = {{"A.TXT", std::vector<std::uint8_t>{'a'}}},
            .boot_sector = guests::hello_volume,
            .sectors = 20'000,
            .hidden = first};
  }
};

constexpr const char* kMbr = "/usr/lib/syslinux/mbr/mbr.bin";
constexpr const char* kGptMbr = "/usr/lib/syslinux/mbr/gptmbr.bin";
constexpr const char* kGrub = "/usr/lib/grub/i386-pc/boot.img";

// Skips where the package is missing.
#define CODE_OR_SKIP(path)                                          \
  const std::optional<FlatImage> found = boot_code(path);           \
  if (!found) GTEST_SKIP() << (path) << " is missing: its package"; \
  const FlatImage& code = *found

TEST_F(PublishedSectorsTest, SyslinuxMbrWithoutAnActivePartition) {
  CODE_OR_SKIP(kMbr);
  const Outcome outcome = run(mbr_disk(code, {partition(kFirstPartition, false)}));
  EXPECT_THAT(outcome, Printed("Missing operating system.\r\n"));
  EXPECT_THAT(outcome, ShowsText(0, "Missing operating system."));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrBootsTheActivePartition) {
  CODE_OR_SKIP(kMbr);
  const Outcome outcome =
      run(mbr_disk(code, {partition(200, false), partition(kFirstPartition, true)}));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, Printed("P"));
  EXPECT_EQ(outcome.stop_address(), Gva{0x7C06}) << "it is loaded where a boot sector is";
  EXPECT_EQ(outcome.registers.dl(), 0x80);
}

TEST_F(PublishedSectorsTest, SyslinuxMbrByChs) {
  CODE_OR_SKIP(kMbr);
  bios().has_disk_extensions = false;
  const Outcome outcome = run(mbr_disk(code, {partition(kFirstPartition, true)}));
  EXPECT_THAT(outcome, Printed("P"));
  EXPECT_THAT(outcome, CalledBios(0x13, 0x02));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrWithTwoActivePartitions) {
  CODE_OR_SKIP(kMbr);
  const Disk two = mbr_disk(code, {partition(kFirstPartition, true), partition(200, true)});
  EXPECT_THAT(run(two), Printed("Multiple active partitions.\r\n"));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrOnADiskThatFails) {
  CODE_OR_SKIP(kMbr);
  bios().disk_failures = {{.times = 1000}};
  EXPECT_THAT(run(mbr_disk(code, {partition(kFirstPartition, true)})),
              Printed(HasSubstr("Operating system load error.")));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrBootsAVolume) {
  CODE_OR_SKIP(kMbr);
  const Outcome outcome = run(mbr_disk(code, {{.first = 63,
                                               .sectors = 20'000,
                                               .type = 0x06,
                                               .is_active = true,
                                               .content = fat_parts(volume(63))}}));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, "Hello from a volume"));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.file, "hello_volume.asm");
  // What it has loaded is the volume's first sector, with its parameter block.
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x7C00 + 28}), 63U) << "hidden sectors";
}

TEST_F(PublishedSectorsTest, SyslinuxGptMbrWithoutATable) {
  CODE_OR_SKIP(kGptMbr);
  EXPECT_THAT(run(mbr_disk(code, {})), Printed(HasSubstr("Missing OS")));
}

TEST_F(PublishedSectorsTest, SyslinuxGptMbrBootsTheBootableVolume) {
  CODE_OR_SKIP(kGptMbr);
  std::vector<GptPartition> partitions = {
      {.first = 34, .sectors = 100, .name = u"first", .content = partition(34, false).content},
      {.type = kEfiSystemPartition,
       .first = 2048,
       .sectors = 20'000,
       .name = u"boot",
       .is_legacy_bootable = true,
       .content = fat_parts(volume(2048))}};
  const Outcome outcome = run(gpt_disk(30'000, partitions, code));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, "Hello from a volume"));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.file, "hello_volume.asm");
  partitions.back().is_legacy_bootable = false;
  EXPECT_THAT(run(gpt_disk(30'000, partitions, code)), Printed(HasSubstr("Missing OS")));
}

TEST_F(PublishedSectorsTest, GrubSaysItsNameAndReadsTheNextSector) {
  CODE_OR_SKIP(kGrub);
  const Outcome outcome = run(Disk{20'000, {sector(code)}});
  EXPECT_THAT(outcome, ShowsText(0, HasSubstr("GRUB")));
  EXPECT_THAT(outcome.disk_transfers(), ::testing::SizeIs(1));
  EXPECT_EQ(outcome.disk_transfers().at(0).lba, 1U);
}

TEST_F(PublishedSectorsTest, GrubOnADiskThatFails) {
  CODE_OR_SKIP(kGrub);
  bios().disk_failures = {{.times = 1000}};
  const Outcome outcome = run(Disk{20'000, {sector(code)}});
  EXPECT_THAT(outcome, Printed(HasSubstr("GRUB Read Error")));
}

}  // namespace
