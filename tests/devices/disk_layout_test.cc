// Partition tables: their bytes, what programs that read them say, and what is refused.
#include <hltest/hltest.h>

#include "../message_of.h"
#include "disk_tools.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

const RealModeImage kCode{"code", {0xF4}};

RealModeImage image(const char* name, std::size_t size, std::uint8_t value) {
  return {name, Bytes(size, value)};
}

std::string refusal(const std::vector<Partition>& partitions, const FlatImage& code = kCode) {
  return message_of<SetupError>([&] { (void)mbr_disk(code, partitions); });
}

struct EntryCase {
  const char* name;
  Partition partition;
  Bytes entry;
};

class MbrEntryTest : public ::testing::TestWithParam<EntryCase> {};

TEST_P(MbrEntryTest, IsAsTheSpecificationHasIt) {
  const Disk disk = mbr_disk(kCode, {GetParam().partition});
  EXPECT_EQ(disk.read_bytes(446, 16), GetParam().entry);
  EXPECT_THAT(disk.read_bytes(446 + 16, 48), Each(0));
}

// UEFI 2.10, table 5.2: boot indicator, CHS of the first, type, CHS of the last, LBA, sectors.
INSTANTIATE_TEST_SUITE_P(
    Partitions, MbrEntryTest,
    ::testing::Values(
        EntryCase{"SecondTrack",
                  {.first = 63, .sectors = 2880},
                  {0, 1, 1, 0, 0x0C, 14, 45, 2, 63, 0, 0, 0, 0x40, 0x0B, 0, 0}},
        EntryCase{"Active",
                  {.first = 1, .sectors = 1, .type = 0x83, .is_active = true},
                  {0x80, 0, 2, 0, 0x83, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0}},
        // 16 heads: cylinders 256 and 1023
        EntryCase{"HighCylinders",
                  {.first = 256ULL * 1008, .sectors = 768ULL * 1008},
                  {0, 0, 0x41, 0, 0x0C, 15, 0xFF, 0xFF, 0, 0xF0, 3, 0, 0, 0xD0, 0x0B, 0}},
        // 255 heads, and beyond cylinder 1023
        EntryCase{"BeyondChs",
                  {.first = 16'450'560, .sectors = 0xFF00'0000},
                  {0, 0xFE, 0xFF, 0xFF, 0x0C, 0xFE, 0xFF, 0xFF, 0, 0x04, 0xFB, 0, 0, 0, 0, 0xFF}}),
    [](const auto& test) { return test.param.name; });

TEST(MbrDiskTest, HasCodeTableSignatureAndContent) {
  const Disk disk = mbr_disk(image("code", 446, 7),
                             {{.first = 63, .sectors = 10, .content = {at(2, image("a", 9, 1))}},
                              {.first = 100, .sectors = 3, .content = {sector(image("b", 5, 2))}}});
  EXPECT_THAT(disk.read_bytes(0, 446), Each(7));
  EXPECT_THAT(disk.read_bytes(446 + 16 + 8, 8), ElementsAre(100, 0, 0, 0, 3, 0, 0, 0));
  EXPECT_THAT(disk.read_bytes(510, 2), ElementsAre(0x55, 0xAA));
  EXPECT_THAT(disk.read_bytes(65 * Disk::kSectorSize, 10),
              ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 1, 0));
  EXPECT_THAT(disk.read_bytes(100 * Disk::kSectorSize + 4, 2), ElementsAre(2, 0));
  EXPECT_TRUE(disk.written_sectors().empty());
  EXPECT_EQ(disk.sectors(), 1008U);
}

TEST(MbrDiskTest, EndsWithACylinderAndIsNoFloppy) {
  EXPECT_EQ(mbr_disk(kCode, {}).sectors(), 1008U);
  EXPECT_EQ(mbr_disk(kCode, {{.first = 1, .sectors = 1007}}).sectors(), 1008U);
  EXPECT_EQ(mbr_disk(kCode, {{.first = 1, .sectors = 1008}}).sectors(), 2016U);
  for (const std::uint64_t size : {320U, 360U, 640U, 720U, 1440U, 2400U, 2880U, 3360U, 5760U}) {
    EXPECT_FALSE(mbr_disk(kCode, {{.first = 1, .sectors = size - 1}}).has_floppy_size()) << size;
  }
  EXPECT_EQ(mbr_disk(kCode, {{.first = 1, .sectors = 0xFFFF'FFFF}}).sectors(), 1ULL << 32U);
}

TEST(MbrDiskTest, ABootSectorWithZerosAndASignatureIsAccepted) {
  EXPECT_EQ(mbr_disk(guests::hello_sector, {}).read(0)[0], guests::hello_sector.bytes()[0]);
}

TEST(MbrDiskTest, WrongPartitionsAreRefused) {
  const Partition one{.first = 64, .sectors = 1};
  EXPECT_EQ(refusal({one, one, one, one, one}),
            "5 partitions: a master boot record has 4 at most, so use gpt_disk for more");
  EXPECT_EQ(
      refusal({{.first = 10, .sectors = 10}, {.first = 19, .sectors = 5}}),
      "partition 1 (sectors 10-19) and partition 2 (sectors 19-23) overlap: move one of them");
  EXPECT_EQ(
      refusal({{.first = 20, .sectors = 10}, {.first = 10, .sectors = 11}}),
      "partition 1 (sectors 20-29) and partition 2 (sectors 10-20) overlap: move one of them");
  EXPECT_EQ(
      refusal({{.first = 0, .sectors = 10}}),
      "partition 1 has 10 sectors from sector 0 on: partitions lie in sectors 1 to 4294967295 "
      "of this disk");
  EXPECT_EQ(refusal({one, {.first = 70, .sectors = 0}}),
            "partition 2 has 0 sectors: give it one at least");
  EXPECT_EQ(refusal({{.first = 1, .sectors = 1, .type = 0}}),
            "partition 1 has type 0, which is that of an unused entry: give it another");
}

TEST(MbrDiskTest, PartitionsBesideEachOtherAreAccepted) {
  EXPECT_EQ(refusal({{.first = 10, .sectors = 10}, {.first = 20, .sectors = 5}}),
            "(nothing was thrown)");
  EXPECT_EQ(refusal({{.first = 20, .sectors = 10}, {.first = 10, .sectors = 10}}),
            "(nothing was thrown)");
}

TEST(MbrDiskTest, PartitionsEndBefore2To32) {
  EXPECT_EQ(refusal({{.first = 2, .sectors = 0xFFFF'FFFF}}),
            "partition 1 has 4294967295 sectors from sector 2 on: partitions lie in sectors 1 to "
            "4294967295 of this disk");
  EXPECT_THAT(refusal({{.first = 1ULL << 32U, .sectors = 1}}), HasSubstr("from sector 4294967296"));
  EXPECT_THAT(refusal({{.first = 1, .sectors = ~0ULL}}), HasSubstr("partitions lie in"));
  EXPECT_EQ(refusal({{.first = 0xFFFF'FFFF, .sectors = 1}}), "(nothing was thrown)");
}

TEST(MbrDiskTest, ContentLargerThanItsPartitionIsRefused) {
  const auto with = [](const DiskPart& part) {
    return refusal({{.first = 63, .sectors = 3, .content = {part}}});
  };
  EXPECT_EQ(
      with(at(1, image("big", 1025, 1))),
      "partition 1 (sectors 63-65) has 3 sectors, and its content big needs 3 from its sector "
      "1 on: make it larger");
  EXPECT_THAT(with(at(3, image("late", 1, 1))), HasSubstr("late needs 1 from its sector 3 on"));
  EXPECT_THAT(with(at(~0ULL, image("far", 1, 1))), HasSubstr("far needs 1 from its sector 184"));
  EXPECT_EQ(with(at(1, image("fits", 1024, 1))), "(nothing was thrown)");
}

TEST(MbrDiskTest, BootCodeInTheTablesPlaceIsRefused) {
  EXPECT_EQ(refusal({}, image("long", 447, 0x0B)),
            "the boot sector long has 0x0b in byte 446, and bytes 446 to 509 are the partition "
            "table: leave them zeros");
  EXPECT_EQ(refusal({}, kCode.with_bytes(509, Bytes{0xEB})),
            "the boot sector code has 0xeb in byte 509, and bytes 446 to 509 are the partition "
            "table: leave them zeros");
  EXPECT_EQ(refusal({}, image("larger", 513, 0)),
            "the boot sector larger has 513 bytes: shorten it to 512 at most");
  EXPECT_EQ(refusal({}, kCode.with_bytes(510, Bytes{0xAA, 0x55})),
            "the boot sector code has aa 55 in bytes 510 and 511, where a BIOS wants 55 aa: end it "
            "with times 510-($-$$) db 0, then dw 0xaa55");
}

TEST(MbrDiskTest, SfdiskReadsIt) {
  SKIP_WITHOUT("sfdisk", "fdisk");
  const DiskImageFile file{mbr_disk(kCode, {{.first = 63, .sectors = 2880, .type = 1},
                                            {.first = 4000, .sectors = 96, .is_active = true}})};
  const CommandResult verified = run_command("sfdisk --verify " + file.path());
  EXPECT_EQ(verified.status, 0) << verified.output;
  const CommandResult dump = run_command("sfdisk --dump " + file.path());
  EXPECT_THAT(dump.output, HasSubstr("start=          63, size=        2880, type=1\n"));
  EXPECT_THAT(dump.output, HasSubstr("start=        4000, size=          96, type=c, bootable\n"));
}

class PartitionedDiskTest : public BootSectorTest {};

TEST_F(PartitionedDiskTest, BootsFromAHardDiskAndKnowsItsSourceLines) {
  const Outcome outcome = run(mbr_disk(guests::hello_sector, {{.first = 1, .sectors = 2879}}));
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.start.dl(), kFirstHardDisk);
  EXPECT_THAT(outcome, ShowsText(0, "Hello, world"));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.file, "hello_sector.asm");
  EXPECT_EQ(outcome.source()->line.text, ".done:  hlt");
}

// The boot sector loads sectors 1 to 4, which are the partition's.
TEST_F(PartitionedDiskTest, SourceLinesOfContentAreKnown) {
  const Outcome outcome =
      run(mbr_disk(guests::load_second_stage,
                   {{.first = 1, .sectors = 9, .content = {sector(guests::second_stage)}}}));
  ASSERT_THAT(outcome, Halted());
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.file, "second_stage.asm");
}

TEST_F(PartitionedDiskTest, ABootSectorThatIsAPieceOfAnImageBoots) {
  Bytes bytes(Disk::kSectorSize, 0xCC);
  const auto hello = guests::hello_sector.bytes();
  bytes.insert(bytes.end(), hello.begin(), hello.end());
  const Disk disk{{.lba = 0, .image = RealModeImage{"image", bytes}, .offset = Disk::kSectorSize}};
  EXPECT_THAT(run(disk), ShowsText(0, "Hello, world"));
}

}  // namespace
