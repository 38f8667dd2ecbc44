// What a FAT volume cannot have, with the full message of each.
#include <hltest/hltest.h>

#include "../message_of.h"
#include "guests/boot.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kNothing = "(nothing was thrown)";

std::string refusal(const FatVolume& volume) {
  return message_of<SetupError>([&] { (void)fat_disk(volume); });
}

TEST(FatLimitsTest, NamesHave8And3Characters) {
  for (const char* const name : {"", ".BIN", "KERNEL.", "kernel.bin", "KERNELS09.BIN",
                                 "KERNEL.BIN2", "A.B.C", "A B", "A/B", "A+B", "A.B,", "\xC4"}) {
    EXPECT_EQ(refusal({.files = {{name}}}),
              "\"" + std::string{name} +
                  "\" is no name of a file on a FAT volume: give it 1 to 8 characters, and after a "
                  "dot 1 to 3, of A-Z, 0-9 and !#$%&'()-@^_`{}~");
  }
  for (const char* const name : {"A", "KERNEL09.BIN", "!#$%&'()", "-@^_`{}~.Z09"}) {
    EXPECT_EQ(refusal({.files = {{name}}}), kNothing);
  }
}

TEST(FatLimitsTest, ANameIsThereOnce) {
  EXPECT_EQ(refusal({.files = {{"A.B"}, {"C"}, {"A.B"}}}),
            "A.B is there twice on a FAT volume: give one of the files another name");
}

TEST(FatLimitsTest, FilesFit) {
  constexpr std::size_t kClusters = 2847;
  EXPECT_EQ(refusal({.files = {{"A", Bytes(kClusters * 512 - 1)}, {"B", Bytes(1)}}}),
            "the files need 2848 clusters of 512 bytes, and a FAT volume of 2880 sectors has 2847: "
            "make it larger");
  EXPECT_EQ(refusal({.files = {{"A", Bytes(kClusters * 512)}}}), kNothing);
}

TEST(FatLimitsTest, TheRootDirectoryHasRoom) {
  FatVolume volume;
  for (unsigned i = 0; i < 224; ++i) volume.files.push_back({std::to_string(i)});
  EXPECT_EQ(refusal(volume), kNothing);
  volume.files.push_back({"MORE"});
  EXPECT_EQ(
      refusal(volume),
      "225 files: the root directory of a FAT volume of 2880 sectors has 224 entries, so leave "
      "some out");
}

TEST(FatLimitsTest, ClustersOfTheTestsAreThoseThatTheFileNeeds) {
  const auto with = [](std::vector<std::uint16_t> clusters) {
    return refusal({.files = {{"A", Bytes(513), std::move(clusters)}, {"B", Bytes(1), {5}}}});
  };
  EXPECT_EQ(with({2, 3, 4}),
            "A needs 2 clusters of 512 bytes, and FatFile::clusters has 3: give it as many");
  EXPECT_THAT(with({2}), HasSubstr("FatFile::clusters has 1"));
  EXPECT_EQ(with({1, 2}), "A in cluster 1: this volume has clusters 2 to 2848");
  EXPECT_EQ(with({2, 2849}), "A in cluster 2849: this volume has clusters 2 to 2848");
  EXPECT_EQ(with({2, 2}), "A in cluster 2, which is in use already: give it another");
  EXPECT_EQ(with({4, 5}), "B in cluster 5, which is in use already: give it another");
  EXPECT_EQ(with({2848, 2}), kNothing);
}

TEST(FatLimitsTest, SizesOfVolumes) {
  EXPECT_EQ(refusal({.sectors = 35}),
            "a FAT volume of 35 sectors: give it 36 at least, and 4193120 (2 GiB) at most");
  EXPECT_EQ(refusal({.sectors = 4'193'121}),
            "a FAT volume of 4193121 sectors: give it 36 at least, and 4193120 (2 GiB) at most");
  EXPECT_EQ(
      refusal({.sectors = 100, .hidden = (1ULL << 32U) - 99}),
      "a FAT volume of 100 sectors after 4294967197 hidden ones ends beyond sector 2^32: move "
      "it to a lower sector");
  EXPECT_THAT(refusal({.sectors = 100, .hidden = ~0ULL}), HasSubstr("ends beyond sector 2^32"));
  EXPECT_EQ(refusal({.sectors = 100, .hidden = (1ULL << 32U) - 100}), kNothing);
}

TEST(FatLimitsTest, EverySizeHasALayout) {
  const auto check = [](std::uint64_t begin, std::uint64_t end, std::uint64_t step) {
    for (std::uint64_t size = begin; size < end; size += step) {
      EXPECT_EQ(refusal({.files = {{"A", Bytes(1)}}, .sectors = size}), kNothing) << size;
    }
  };
  check(36, 200, 1);
  check(4100, 4200, 1);      // round the limit of FAT12
  check(66'000, 66'100, 1);  // round that of clusters of a sector
  check(200, 140'000, 997);
  check(140'000, 4'193'120, 300'007);
}

TEST(FatLimitsTest, ABootSectorBeginsWithAJump) {
  EXPECT_EQ(
      refusal({.boot_sector = guests::hello_sector}),
      "the boot sector hello_sector does not begin with a jump to byte 62 or later, and bytes "
      "3 to 61 are the BIOS parameter block: begin it with jmp short start, nop, times 59 db "
      "0, start:");
  const auto begins = [](const Bytes& bytes) {
    return refusal({.boot_sector = RealModeImage{"code", bytes}});
  };
  EXPECT_EQ(begins({0xEB, 0x3C, 0x90}), kNothing);
  EXPECT_EQ(begins({0xE9, 0x3B, 0x00}), kNothing);
  EXPECT_EQ(begins({0xE9, 0xFC, 0x01}), kNothing);
  for (const Bytes& wrong :
       {Bytes{}, Bytes{0xEB, 0x3C}, Bytes{0xEB, 0x3B, 0x90}, Bytes{0xEB, 0x80, 0x90},
        Bytes{0xE9, 0x3A, 0x00}, Bytes{0xE9, 0xFD, 0x01}, Bytes{0xE8, 0x3B, 0x00}}) {
    EXPECT_THAT(begins(wrong), StartsWith("the boot sector code does not begin with a jump"));
  }
}

TEST(FatLimitsTest, TheParameterBlockIsTheVolumes) {
  const auto with = [](std::size_t offset, std::uint8_t value) {
    return refusal({.boot_sector = guests::hello_volume.with_bytes(offset, std::span{&value, 1})});
  };
  EXPECT_EQ(
      with(21, 0xF8),
      "the boot sector hello_volume has 0xf8 in byte 21 of the BIOS parameter block, where the "
      "volume has 0xf0: begin it with jmp short start, nop, times 59 db 0, start:");
  EXPECT_EQ(with(21, 0xF0), kNothing);
  EXPECT_EQ(with(21, 0x90), kNothing);
  EXPECT_THAT(with(3, 0xFA), HasSubstr("0xfa in byte 3 of"));
  EXPECT_THAT(with(61, 0xFA), HasSubstr("0xfa in byte 61 of"));
  EXPECT_EQ(with(62, 0xFA), kNothing);
}

TEST(FatLimitsTest, ABootSectorIsASector) {
  Bytes large{0xEB, 0x3C, 0x90};
  large.resize(513);
  EXPECT_EQ(refusal({.boot_sector = RealModeImage{"large", large}}),
            "the boot sector large has 513 bytes: shorten it to 512 at most");
  EXPECT_THAT(refusal({.boot_sector = guests::hello_volume.with_bytes(511, Bytes{0})}),
              HasSubstr("has 55 00 in bytes 510 and 511"));
}

}  // namespace
