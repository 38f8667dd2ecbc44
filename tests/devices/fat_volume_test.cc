// FAT volumes: their bytes, and what programs that read them say.
#include <hltest/hltest.h>

#include <cstring>

#include "disk_tools.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Bytes = std::vector<std::uint8_t>;

template <typename Integer>
Integer read(const Disk& disk, std::uint64_t offset) {
  Integer value{};
  std::memcpy(&value, disk.read_bytes(offset, sizeof value).data(), sizeof value);
  return value;
}

std::string text(const Disk& disk, std::uint64_t offset, std::uint64_t size) {
  const Bytes bytes = disk.read_bytes(offset, size);
  return {bytes.begin(), bytes.end()};
}

// Bytes that differ from cluster to cluster.
Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i / 512 + i % 7);
  return bytes;
}

TEST(FatVolumeTest, ParametersOfA1440KiBFloppy) {
  const Disk disk = fat_disk({});
  EXPECT_THAT(disk.read_bytes(0, 3), ElementsAre(0xEB, 0x3C, 0x90));
  EXPECT_EQ(text(disk, 3, 8), "hltest  ");
  EXPECT_THAT(disk.read_bytes(11, 28),
              ElementsAre(0, 2, 1, 1, 0, 2, 224, 0, 0x40, 0x0B, 0xF0, 9, 0, 18, 0, 2, 0, 0, 0, 0, 0,
                          0, 0, 0, 0, 0, 0, 0x29));
  EXPECT_EQ(text(disk, 43, 19), "NO NAME    FAT12   ");
  EXPECT_THAT(disk.read_bytes(510, 2), ElementsAre(0x55, 0xAA));
  EXPECT_TRUE(disk.written_sectors().empty());
  EXPECT_EQ(disk.sectors(), 2880U);
}

// What mformat of mtools writes for the same size, from the BIOS parameter block's bytes per sector
// to its heads.
TEST(FatVolumeTest, FloppiesAreAsMformatMakesThem) {
  SKIP_WITHOUT("mformat", "mtools");
  for (const unsigned kib : {160U, 180U, 320U, 360U, 720U, 1200U, 1440U, 2880U}) {
    const Disk disk = fat_disk({.sectors = std::uint64_t{kib} * 2});
    const DiskImageFile file{Disk{disk.sectors()}};
    const CommandResult made =
        run_command("mformat -i " + file.path() + " -f " + std::to_string(kib) + " ::");
    ASSERT_EQ(made.status, 0) << made.output;
    const Disk other = Disk::of_file(file.path());
    EXPECT_EQ(disk.read_bytes(11, 17), other.read_bytes(11, 17)) << kib;
    EXPECT_EQ(disk.read_bytes(512, 3), other.read_bytes(512, 3)) << kib << ": the FAT";
  }
}

struct SizeCase {
  const char* name;
  FatVolume volume;
  bool is_fat12;
  unsigned sectors_per_cluster;
  unsigned sectors_per_fat;
};

class FatSizeTest : public ::testing::TestWithParam<SizeCase> {};

TEST_P(FatSizeTest, HasTheLayout) {
  const SizeCase& test = GetParam();
  const Disk disk = fat_disk(test.volume);
  EXPECT_EQ(text(disk, 54, 8), test.is_fat12 ? "FAT12   " : "FAT16   ");
  EXPECT_EQ(read<std::uint8_t>(disk, 13), test.sectors_per_cluster);
  EXPECT_EQ(read<std::uint16_t>(disk, 22), test.sectors_per_fat);
  EXPECT_EQ(read<std::uint8_t>(disk, 36), 0x80);
  EXPECT_EQ(read<std::uint16_t>(disk, 17), 512);
  EXPECT_EQ(read<std::uint8_t>(disk, 21), 0xF8);
  const std::uint32_t sectors = read<std::uint16_t>(disk, 19) != 0 ? read<std::uint16_t>(disk, 19)
                                                                   : read<std::uint32_t>(disk, 32);
  EXPECT_EQ(sectors, test.volume.sectors);
  EXPECT_EQ(read<std::uint16_t>(disk, 19) == 0, test.volume.sectors > 0xFFFF);
  EXPECT_EQ(read<std::uint32_t>(disk, 28), test.volume.hidden);
  const Bytes begin = test.is_fat12 ? Bytes{0xF8, 0xFF, 0xFF, 0} : Bytes{0xF8, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(disk.read_bytes(512, 4), begin);
}

// By hand from the specification: clusters = (sectors - 1 - 2 * FAT - 32) / sectors of a cluster.
INSTANTIATE_TEST_SUITE_P(
    Volumes, FatSizeTest,
    ::testing::Values(SizeCase{"Smallest", {.sectors = 36}, true, 1, 1},
                      SizeCase{"MostOfFat12", {.sectors = 4125}, true, 1, 12},    // 4068 clusters
                      SizeCase{"NearTheLimit", {.sectors = 4126}, true, 2, 6},    // not 4069
                      SizeCase{"StillNear", {.sectors = 4167}, true, 2, 7},       // not 4100
                      SizeCase{"LeastOfFat16", {.sectors = 4168}, false, 1, 17},  // 4101 clusters
                      SizeCase{"In16Bits", {.sectors = 65'535}, false, 1, 254},
                      SizeCase{"In32Bits", {.sectors = 65'536}, false, 1, 254},
                      SizeCase{"MostOf1Sector", {.sectors = 66'053}, false, 1, 256},  // 65508
                      SizeCase{"Clusters1KiB", {.sectors = 66'054}, false, 2, 129},
                      SizeCase{"Largest", {.sectors = 4'193'120}, false, 64, 256},  // 65508
                      SizeCase{
                          "OfAFloppyInAPartition", {.sectors = 2880, .hidden = 63}, true, 1, 9}),
    [](const auto& test) { return test.param.name; });

TEST(FatVolumeTest, TheGeometryIsThatOfTheDisk) {
  const auto geometry = [](const FatVolume& volume) { return fat_disk(volume).read_bytes(24, 4); };
  EXPECT_THAT(geometry({.sectors = 20'000}), ElementsAre(63, 0, 16, 0));
  EXPECT_THAT(geometry({.sectors = 20'000, .hidden = 16'000'000}), ElementsAre(63, 0, 255, 0));
  const FatVolume own{.sectors = 20'000, .geometry = DiskGeometry{100, 4, 50}};
  EXPECT_THAT(geometry(own), ElementsAre(50, 0, 4, 0));
  EXPECT_EQ(fat_disk(own).geometry(), *own.geometry);
}

// The root directory of 1.44 MB begins at sector 19, cluster 2 at sector 33.
TEST(FatVolumeTest, FilesHaveEntriesChainsAndContent) {
  const Disk disk = fat_disk({.files = {{"KERNEL.BIN", counted(1025)},
                                        {"EMPTY", Bytes{}},
                                        {"A.C", RealModeImage{"a", {0xA1}}}}});
  constexpr std::uint64_t kRoot = 19 * Disk::kSectorSize;
  EXPECT_EQ(text(disk, kRoot, 12), "KERNEL  BIN ");
  EXPECT_THAT(disk.read_bytes(kRoot + 24, 8), ElementsAre(0x21, 0, 2, 0, 1, 4, 0, 0));
  EXPECT_EQ(text(disk, kRoot + 32, 12), "EMPTY       ");
  EXPECT_THAT(disk.read_bytes(kRoot + 32 + 26, 6), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_EQ(text(disk, kRoot + 64, 12), "A       C   ");
  EXPECT_THAT(disk.read_bytes(kRoot + 64 + 26, 6), ElementsAre(5, 0, 1, 0, 0, 0));
  EXPECT_THAT(disk.read_bytes(kRoot + 96, 32), Each(0));
  // Entries FF0, FFF, 003, 004, FFF, FFF of 12 bits.
  for (const std::uint64_t fat : {1U, 10U}) {
    EXPECT_THAT(disk.read_bytes(fat * 512, 10),
                ElementsAre(0xF0, 0xFF, 0xFF, 0x03, 0x40, 0x00, 0xFF, 0xFF, 0xFF, 0));
  }
  EXPECT_EQ(disk.read_bytes(33 * Disk::kSectorSize, 1025), counted(1025));
  EXPECT_EQ(disk.read_bytes(36 * Disk::kSectorSize, 2), (Bytes{0xA1, 0}));
}

TEST(FatVolumeTest, FilesLieInTheClustersOfTheTests) {
  const Disk disk = fat_disk({.files = {{"FIRST", Bytes(513, 1)},
                                        {"PIECES", counted(1200), {9, 2, 3}},
                                        {"LAST", Bytes(512, 2)}}});
  const auto sector_of = [](unsigned cluster) { return std::uint64_t{33 + cluster - 2} * 512; };
  const Bytes pieces = counted(1200);
  EXPECT_EQ(disk.read_bytes(sector_of(9), 512), Bytes(pieces.begin(), pieces.begin() + 512));
  EXPECT_EQ(read<std::uint8_t>(disk, sector_of(2)), pieces[512]);
  EXPECT_EQ(read<std::uint8_t>(disk, sector_of(3) + 175), pieces[1199]);
  EXPECT_EQ(read<std::uint8_t>(disk, sector_of(3) + 176), 0);
  EXPECT_EQ(read<std::uint16_t>(disk, 19 * Disk::kSectorSize + 32 + 26), 9);
  // 2 -> 3, 3 ends, 4 -> 5, 5 ends, 6 ends, 9 -> 2
  EXPECT_THAT(disk.read_bytes(512 + 3, 12),
              ElementsAre(0x03, 0xF0, 0xFF, 0x05, 0xF0, 0xFF, 0xFF, 0x0F, 0, 0, 0x20, 0));
  EXPECT_EQ(read<std::uint8_t>(disk, sector_of(6)), 2) << "LAST is in the next free one";
}

TEST(FatVolumeTest, EntriesOfFat16) {
  const Disk disk = fat_disk({.files = {{"A", Bytes(1024, 1), {3, 2}}}, .sectors = 20'000});
  EXPECT_THAT(disk.read_bytes(512 + 4, 6), ElementsAre(0xFF, 0xFF, 2, 0, 0, 0));
}

TEST(FatVolumeTest, ABootSectorKeepsItsCodeAndGetsTheParameters) {
  const Disk disk = fat_disk({.boot_sector = guests::hello_volume});
  EXPECT_EQ(disk.read_bytes(62, 448), Bytes(guests::hello_volume.bytes().begin() + 62,
                                            guests::hello_volume.bytes().end() - 2));
  EXPECT_EQ(read<std::uint16_t>(disk, 11), 512);
  // A sector of the volume's own is accepted again: it has what the volume has.
  EXPECT_NO_THROW((void)fat_disk({.boot_sector = disk.parts().front().image}));
}

class FatDiskTest : public BootSectorTest {};

TEST_F(FatDiskTest, BootsFromAFloppyAndKnowsItsSourceLines) {
  const Outcome outcome = run(fat_disk({.boot_sector = guests::hello_volume}));
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.start.dl(), kFirstFloppy);
  EXPECT_THAT(outcome, ShowsText(0, "Hello from a volume"));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.text, "hlt");
}

TEST_F(FatDiskTest, WithoutABootSectorItHalts) {
  const Outcome outcome = run(fat_disk({}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.stop_address(), Gva{0x7C3F});
}

std::vector<FatVolume> volumes_to_check() {
  std::vector<FatVolume> volumes;
  for (const std::uint64_t size : {36U, 320U, 360U, 640U, 720U, 1440U, 2400U, 2880U, 3360U, 4126U,
                                   4168U, 5760U, 66'054U, 4'193'120U}) {
    volumes.push_back({.sectors = size});
  }
  volumes.push_back({.sectors = 2880, .hidden = 63});
  for (FatVolume& volume : volumes) volume.files = {{"A.TXT", Bytes(100, 'a')}, {"EMPTY"}};
  volumes.push_back({.files = {{"PIECES.BIN", counted(1000), {2848, 7}}}});
  return volumes;
}

TEST(FatVolumeTest, FsckFindsNothingWrong) {
  SKIP_WITHOUT("fsck.fat", "dosfstools");
  for (const FatVolume& volume : volumes_to_check()) {
    const DiskImageFile file{fat_disk(volume)};
    const CommandResult result = run_command("fsck.fat -n -V -v " + file.path());
    EXPECT_EQ(result.status, 0) << volume.sectors << "\n" << result.output;
    EXPECT_THAT(result.output, Not(HasSubstr("differ"))) << volume.sectors;
  }
}

TEST(FatVolumeTest, MtoolsReadItsFiles) {
  SKIP_WITHOUT("mdir", "mtools");
  const DiskImageFile file{fat_disk(
      {.files = {{"KERNEL.BIN", Bytes(600, 'k'), {100, 50}}, {"HELLO.TXT", Bytes{'h', 'i'}}}})};
  const auto mtools = [&file](const std::string& command, const std::string& name = "") {
    return run_command(command + " -i " + file.path() + " ::" + name).output;
  };
  EXPECT_THAT(mtools("mdir"), HasSubstr("KERNEL   BIN       600 1980-01-01"));
  EXPECT_EQ(mtools("mtype", "HELLO.TXT"), "hi");
  EXPECT_EQ(mtools("mtype", "KERNEL.BIN"), std::string(600, 'k'));
  EXPECT_THAT(mtools("minfo"), HasSubstr("mformat -t 80 -h 2 -s 18 -i"));
  EXPECT_THAT(mtools("minfo"), HasSubstr("media descriptor byte: 0xf0"));
}

TEST(FatVolumeTest, IsTheContentOfAPartition) {
  const FatVolume volume{.files = {{"A.TXT", Bytes{'h', 'i'}}}, .sectors = 20'000, .hidden = 63};
  const Disk disk = mbr_disk(RealModeImage{"code", {0xF4}}, {{.first = volume.hidden,
                                                              .sectors = volume.sectors,
                                                              .type = 0x06,
                                                              .content = fat_parts(volume)}});
  EXPECT_EQ(disk.read_bytes(63 * Disk::kSectorSize, 20'000),
            fat_disk(volume).read_bytes(0, 20'000));
  EXPECT_TRUE(disk.written_sectors().empty());
  SKIP_WITHOUT("mtype", "mtools");
  const DiskImageFile file{disk};
  EXPECT_EQ(run_command("mtype -i " + file.path() + "@@32256 ::A.TXT").output, "hi");
}

}  // namespace
