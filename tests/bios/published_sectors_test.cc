// Boot sectors that Debian's packages publish, with the texts that are their own. A package that is
// missing is a skipped test; .ci/run installs them.
#include <hltest/hltest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr std::uint64_t kFirstPartition = 64;

// A PC's partition table (at 1BEh of sector 0): where an active or inactive partition begins.
struct Partition {
  bool is_active = false;
  std::uint32_t first = 0;
};

class PublishedSectorsTest : public BootSectorTest {
 protected:
  // A disk with this file as its boot sector, and these partitions, each of which prints "P".
  static std::optional<Disk> disk(const std::string& path,
                                  const std::vector<Partition>& partitions) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    std::vector<std::uint8_t> boot{std::istreambuf_iterator<char>{file}, {}};
    boot.resize(Disk::kSectorSize);
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      const std::size_t entry = 0x1BE + 16 * i;
      boot[entry] = partitions[i].is_active ? 0x80 : 0;
      boot[entry + 1] = 1;
      boot[entry + 2] = 2;  // cylinder 0, head 1, sector 2: LBA 64
      boot[entry + 4] = 0x83;
      std::memcpy(&boot[entry + 8], &partitions[i].first, sizeof partitions[i].first);
      boot[entry + 12] = 100;
    }
    boot[510] = 0x55;
    boot[511] = 0xAA;
    Disk disk{20'000};
    disk.write_bytes(0, boot);
    // mov ax, 0x0E50; int 0x10; cli; hlt
    const std::vector<std::uint8_t> prints{0xB8, 0x50, 0x0E, 0xCD, 0x10, 0xFA, 0xF4};
    for (const Partition& partition : partitions) {
      disk.write_bytes(partition.first * Disk::kSectorSize, prints);
      disk.write_bytes(partition.first * Disk::kSectorSize + 510,
                       std::vector<std::uint8_t>{0x55, 0xAA});
    }
    return disk;
  }
};

constexpr const char* kMbr = "/usr/lib/syslinux/mbr/mbr.bin";
constexpr const char* kGptMbr = "/usr/lib/syslinux/mbr/gptmbr.bin";
constexpr const char* kGrub = "/usr/lib/grub/i386-pc/boot.img";

// Skips where the package is missing.
#define DISK_OR_SKIP(name, path, ...)                                    \
  const std::optional<Disk> name##_found = disk(path, __VA_ARGS__);      \
  if (!name##_found) GTEST_SKIP() << path << " is missing: its package"; \
  const Disk& name = *name##_found

TEST_F(PublishedSectorsTest, SyslinuxMbrWithoutAnActivePartition) {
  DISK_OR_SKIP(none, kMbr, {{false, kFirstPartition}});
  const Outcome outcome = run_from(kFirstHardDisk, none);
  EXPECT_THAT(outcome, Printed("Missing operating system.\r\n"));
  EXPECT_THAT(outcome, ShowsText(0, "Missing operating system."));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrBootsTheActivePartition) {
  DISK_OR_SKIP(one, kMbr, {{false, 200}, {true, kFirstPartition}});
  const Outcome outcome = run_from(kFirstHardDisk, one);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, Printed("P"));
  EXPECT_EQ(outcome.stop_address(), Gva{0x7C06}) << "it is loaded where a boot sector is";
  EXPECT_EQ(outcome.registers.dl(), 0x80);
}

TEST_F(PublishedSectorsTest, SyslinuxMbrByChs) {
  DISK_OR_SKIP(one, kMbr, {{true, kFirstPartition}});
  bios().has_disk_extensions = false;
  const Outcome outcome = run_from(kFirstHardDisk, one);
  EXPECT_THAT(outcome, Printed("P"));
  EXPECT_THAT(outcome, CalledBios(0x13, 0x02));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrWithTwoActivePartitions) {
  DISK_OR_SKIP(two, kMbr, {{true, kFirstPartition}, {true, 200}});
  EXPECT_THAT(run_from(kFirstHardDisk, two), Printed("Multiple active partitions.\r\n"));
}

TEST_F(PublishedSectorsTest, SyslinuxMbrOnADiskThatFails) {
  DISK_OR_SKIP(one, kMbr, {{true, kFirstPartition}});
  bios().disk_failures = {{.times = 1000}};
  EXPECT_THAT(run_from(kFirstHardDisk, one), Printed(HasSubstr("Operating system load error.")));
}

TEST_F(PublishedSectorsTest, SyslinuxGptMbrWithoutATable) {
  DISK_OR_SKIP(none, kGptMbr, {});
  EXPECT_THAT(run_from(kFirstHardDisk, none), Printed(HasSubstr("Missing OS")));
}

TEST_F(PublishedSectorsTest, GrubSaysItsNameAndReadsTheNextSector) {
  DISK_OR_SKIP(grub, kGrub, {});
  const Outcome outcome = run_from(kFirstHardDisk, grub);
  EXPECT_THAT(outcome, ShowsText(0, HasSubstr("GRUB")));
  EXPECT_THAT(outcome.disk_transfers(), ::testing::SizeIs(1));
  EXPECT_EQ(outcome.disk_transfers().at(0).lba, 1U);
}

TEST_F(PublishedSectorsTest, GrubOnADiskThatFails) {
  DISK_OR_SKIP(grub, kGrub, {});
  bios().disk_failures = {{.times = 1000}};
  const Outcome outcome = run_from(kFirstHardDisk, grub);
  EXPECT_THAT(outcome, Printed(HasSubstr("GRUB Read Error")));
}

}  // namespace
