// Disks with a GUID partition table: their bytes, what programs that read them say, and what is
// refused.
#include <hltest/hltest.h>

#include <cstring>

#include "../message_of.h"
#include "disk_tools.h"

namespace {

using namespace hltest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kSectors = 5000;

template <typename Integer>
Integer read(const Disk& disk, std::uint64_t lba, std::uint64_t offset) {
  Integer value{};
  std::memcpy(&value, disk.read_bytes(lba * Disk::kSectorSize + offset, sizeof value).data(),
              sizeof value);
  return value;
}

// Another way than the library's: a division of the reversed bits, the highest first.
std::uint32_t crc_by_division(Bytes bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) bytes.at(i) ^= 0xFFU;
  bytes.resize(bytes.size() + 4);
  for (const std::uint8_t byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bits = bits << 1U | (byte >> bit & 1U);
      if ((bits >> 32U) != 0) bits ^= 0x1'04C1'1DB7;
    }
  }
  std::uint32_t reversed = 0;
  for (unsigned bit = 0; bit < 32; ++bit) reversed |= (bits >> bit & 1U) << (31 - bit);
  return ~reversed;
}

std::uint32_t crc_of_header(const Disk& disk, std::uint64_t lba) {
  Bytes bytes = disk.read_bytes(lba * Disk::kSectorSize, 92);
  std::fill_n(bytes.begin() + 16, 4, std::uint8_t{0});
  return crc_by_division(bytes);
}

Disk two_partitions() {
  return gpt_disk(kSectors, {{.type = kEfiSystemPartition,
                              .first = 34,
                              .sectors = 100,
                              .name = u"boot \u00E9",
                              .is_legacy_bootable = true,
                              .content = {at(1, RealModeImage{"a", {0xA1}})}},
                             {.first = 134, .sectors = 4832}});
}

std::string refusal(std::uint64_t sectors, const std::vector<GptPartition>& partitions,
                    const std::optional<FlatImage>& code = std::nullopt) {
  return message_of<SetupError>([&] { (void)gpt_disk(sectors, partitions, code); });
}

TEST(GptDiskTest, TheTestsCrcIsRight) {
  EXPECT_EQ(crc_by_division({'1', '2', '3', '4', '5', '6', '7', '8', '9'}), 0xCBF4'3926U);
}

// UEFI 2.10, table 5.4.
TEST(GptDiskTest, ProtectiveMbr) {
  const Disk disk = two_partitions();
  // 5000 sectors: cylinder 4, head 15, sector 23 is the last
  EXPECT_THAT(disk.read_bytes(440, 6 + 16), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xEE, 15, 23,
                                                        4, 1, 0, 0, 0, 0x87, 0x13, 0, 0));
  EXPECT_THAT(disk.read_bytes(446 + 16, 48), Each(0));
  EXPECT_THAT(disk.read_bytes(510, 2), ElementsAre(0x55, 0xAA));
  const Disk largest = gpt_disk(1ULL << 32U, {});
  EXPECT_THAT(largest.read_bytes(446, 16),
              ElementsAre(0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF));
}

struct HeaderCase {
  std::uint64_t lba;
  std::uint64_t other;
  std::uint64_t array;
};

// UEFI 2.10, table 5.5.
TEST(GptDiskTest, Headers) {
  const Disk disk = two_partitions();
  for (const auto& [lba, other, array] : {HeaderCase{1, 4999, 2}, HeaderCase{4999, 1, 4967}}) {
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 0), 0x5452'4150'2049'4645U) << "EFI PART";
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 8), 0x0001'0000U);
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 12), 92U);
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 16), crc_of_header(disk, lba));
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 20), 0U);
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 24), lba);
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 32), other);
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 40), 34U);
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 48), 4966U);
    EXPECT_NE(read<std::uint64_t>(disk, lba, 56), 0U) << "the disk's GUID";
    EXPECT_EQ(read<std::uint64_t>(disk, lba, 72), array);
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 80), 128U);
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 84), 128U);
    const Bytes entries = disk.read_bytes(array * Disk::kSectorSize, 128ULL * 128);
    EXPECT_EQ(read<std::uint32_t>(disk, lba, 88), crc_by_division(entries));
    EXPECT_EQ(entries, disk.read_bytes(2 * Disk::kSectorSize, 128ULL * 128));
    EXPECT_THAT(disk.read_bytes(lba * Disk::kSectorSize + 92, 420), Each(0));
  }
}

// UEFI 2.10, tables 5.6 and 5.8.
TEST(GptDiskTest, Entries) {
  const Disk disk = two_partitions();
  EXPECT_THAT(disk.read_bytes(1024, 16), ElementsAre(0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11,
                                                     0xBA, 0x4B, 0, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B));
  EXPECT_EQ(read<std::uint64_t>(disk, 2, 32), 34U);
  EXPECT_EQ(read<std::uint64_t>(disk, 2, 40), 133U);
  EXPECT_EQ(read<std::uint64_t>(disk, 2, 48), 4U) << "legacy BIOS bootable";
  EXPECT_THAT(disk.read_bytes(1024 + 56, 14),
              ElementsAre('b', 0, 'o', 0, 'o', 0, 't', 0, ' ', 0, 0xE9, 0, 0, 0));
  EXPECT_EQ(read<std::uint64_t>(disk, 2, 128 + 40), 4965U);
  EXPECT_EQ(read<std::uint64_t>(disk, 2, 128 + 48), 0U);
  EXPECT_NE(disk.read_bytes(1024 + 16, 16), disk.read_bytes(1024 + 128 + 16, 16)) << "GUIDs";
  EXPECT_THAT(disk.read_bytes(1024 + 256, 126ULL * 128), Each(0));
}

TEST(GptDiskTest, IsComposedAndAlwaysTheSame) {
  const Disk disk = two_partitions();
  EXPECT_EQ(disk.sectors(), kSectors);
  EXPECT_TRUE(disk.written_sectors().empty());
  EXPECT_EQ(disk.read(35)[0], 0xA1) << "content";
  const Disk again = two_partitions();
  EXPECT_EQ(disk.read_bytes(0, kSectors * 512), again.read_bytes(0, kSectors * 512));
}

TEST(GptDiskTest, BootCodeHas440Bytes) {
  const RealModeImage code{"code", Bytes(440, 0x90)};
  EXPECT_THAT(gpt_disk(kSectors, {}, code).read_bytes(0, 440), Each(0x90));
  EXPECT_EQ(refusal(kSectors, {}, RealModeImage{"code", Bytes(441, 0x90)}),
            "the boot sector code has 0x90 in byte 440, and bytes 440 to 509 are the protective "
            "MBR's: leave them zeros");
  EXPECT_THAT(refusal(kSectors, {}, RealModeImage{"code", Bytes(513, 0)}), HasSubstr("513 bytes"));
}

TEST(GptDiskTest, WrongTypesAreNamed) {
  const auto with = [](const char* type) {
    return refusal(kSectors, {{.type = type, .first = 34, .sectors = 1}});
  };
  EXPECT_EQ(with("C12A7328-F81F-11D2-BA4B-00C93EC93B"),
            "partition 1 has the type \"C12A7328-F81F-11D2-BA4B-00C93EC93B\", which is no GUID: "
            "write it as C12A7328-F81F-11D2-BA4B-00A0C93EC93B, in groups of 8, 4, 4, 4 and 12 "
            "hexadecimal digits");
  EXPECT_THAT(with("C12A7328-F81F-11D2-BA4B-00A0C93EC93G"), HasSubstr("is no GUID"));
  EXPECT_THAT(with("C12A7328-F81F-11D2-BA4B-00A0C93EC9 3"), HasSubstr("is no GUID"));
  EXPECT_THAT(with("C12A7328-F81F-11D2-BA4B-00A0C93EC93B0"), HasSubstr("is no GUID"));
  EXPECT_THAT(with("C12A7328F-81F-11D2-BA4B-00A0C93EC93B"), HasSubstr("is no GUID"));
  EXPECT_THAT(with("-12A7328-F81F-11D2-BA4B-00A0C93EC93B"), HasSubstr("is no GUID"));
  EXPECT_THAT(with(""), HasSubstr("is no GUID"));
  EXPECT_EQ(with("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"), "(nothing was thrown)");
  EXPECT_EQ(with("00000000-0000-0000-0000-000000000000"),
            "partition 1 has a type of zeros, which is that of an unused entry: give it another");
}

TEST(GptDiskTest, WrongPartitionsAreRefused) {
  const GptPartition one{.first = 34, .sectors = 1};
  EXPECT_EQ(refusal(67, {}), "a GPT disk of 67 sectors: give it 68 at least");
  EXPECT_EQ(refusal(68, {one}), "(nothing was thrown)");
  EXPECT_EQ(refusal((1ULL << 32U) + 1, {}), "a disk of 4294967297 sectors: it can have 1 to 2^32");
  EXPECT_EQ(refusal(kSectors, std::vector<GptPartition>(129, one)),
            "129 partitions: gpt_disk makes a table of 128, so leave some out");
  EXPECT_EQ(refusal(kSectors, {{.first = 33, .sectors = 1}}),
            "partition 1 has 1 sector from sector 33 on: partitions lie in sectors 34 to 4966 of "
            "this disk");
  EXPECT_THAT(refusal(kSectors, {{.first = 4966, .sectors = 2}}), HasSubstr("34 to 4966"));
  EXPECT_EQ(refusal(kSectors, {{.first = 4966, .sectors = 1}}), "(nothing was thrown)");
  EXPECT_EQ(refusal(kSectors, {one, {.first = 50, .sectors = 0}}),
            "partition 2 has 0 sectors: give it one at least");
  EXPECT_EQ(
      refusal(kSectors, {one, one}),
      "partition 1 (sectors 34-34) and partition 2 (sectors 34-34) overlap: move one of them");
  EXPECT_EQ(
      refusal(
          kSectors,
          {{.first = 34, .sectors = 1, .content = {sector(RealModeImage{"big", Bytes(513, 1)})}}}),
      "partition 1 (sectors 34-34) has 1 sector, and its content big needs 2 from its sector "
      "0 on: make it larger");
  EXPECT_EQ(refusal(kSectors, {{.first = 34, .sectors = 1, .name = std::u16string(37, u'x')}}),
            "the name of partition 1 has 37 UTF-16 units: shorten it to 36 at most");
  EXPECT_EQ(refusal(kSectors, {{.first = 34, .sectors = 1, .name = std::u16string(36, u'x')}}),
            "(nothing was thrown)");
}

TEST(GptDiskTest, SgdiskFindsNothingWrong) {
  SKIP_WITHOUT("sgdisk", "gdisk");
  const DiskImageFile file{two_partitions()};
  const CommandResult verified = run_command("sgdisk --verify " + file.path());
  EXPECT_EQ(verified.status, 0);
  EXPECT_THAT(verified.output, HasSubstr("No problems found."));
  const CommandResult info = run_command("sgdisk --info=1 " + file.path());
  EXPECT_THAT(info.output,
              HasSubstr("C12A7328-F81F-11D2-BA4B-00A0C93EC93B (EFI system partition)"));
  EXPECT_THAT(info.output, HasSubstr("First sector: 34 "));
  EXPECT_THAT(info.output, HasSubstr("Last sector: 133 "));
  EXPECT_THAT(info.output, HasSubstr("Attribute flags: 0000000000000004"));
  EXPECT_THAT(info.output, HasSubstr("Partition name: 'boot \u00E9'"));
}

TEST(GptDiskTest, SfdiskFindsNothingWrong) {
  SKIP_WITHOUT("sfdisk", "fdisk");
  const DiskImageFile file{two_partitions()};
  const CommandResult verified = run_command("sfdisk --verify " + file.path());
  EXPECT_EQ(verified.status, 0);
  EXPECT_THAT(verified.output, HasSubstr("No errors detected."));
}

}  // namespace
