#include "devices/fat_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/error.h>

namespace hltest::internal {
namespace {

// The parameters that DOS gives a floppy of this size.
struct FloppyParameters {
  std::uint64_t sectors;
  std::uint32_t sectors_per_cluster;
  std::uint32_t root_entries;
  std::uint8_t media;
};
constexpr std::array kFloppies = {
    FloppyParameters{320, 1, 64, 0xFE},   FloppyParameters{360, 1, 64, 0xFC},
    FloppyParameters{640, 2, 112, 0xFF},  FloppyParameters{720, 2, 112, 0xFD},
    FloppyParameters{1440, 2, 112, 0xF9}, FloppyParameters{2400, 1, 224, 0xF9},
    FloppyParameters{2880, 1, 224, 0xF0}, FloppyParameters{3360, 1, 224, 0xF0},
    FloppyParameters{5760, 2, 240, 0xF0},
};
constexpr std::uint32_t kMostClusters = 65'508;  // 16 fewer than FAT16 can have (section 3.5)

std::uint64_t fat_sectors(std::uint64_t clusters) {
  const std::uint64_t entries = clusters + FatLayout::kFirstCluster;
  const std::uint64_t bytes = clusters < 4085 ? (entries * 3 + 1) / 2 : entries * 2;
  return (bytes + Disk::kSectorSize - 1) / Disk::kSectorSize;
}

// Fills in the smallest FAT that has an entry for each cluster beside it, and their number.
void divide(FatLayout& layout) {
  std::uint64_t clusters = 0;
  do {
    ++layout.sectors_per_fat;
    const std::uint64_t data = layout.first_of_cluster(FatLayout::kFirstCluster);
    clusters = (layout.sectors - data) / layout.sectors_per_cluster;
  } while (fat_sectors(clusters) > layout.sectors_per_fat);
  layout.clusters = static_cast<std::uint32_t>(clusters);
}

// Where systems that count clusters wrongly take FAT12 for FAT16 (section 3.5).
bool is_near_the_limit(std::uint32_t clusters) {
  return clusters > 4085 - 17 && clusters < 4085 + 16;
}

FatLayout hard_disk_layout(std::uint64_t sectors, std::uint32_t sectors_per_cluster) {
  FatLayout layout{.sectors = sectors,
                   .sectors_per_cluster = sectors_per_cluster,
                   .root_entries = 512,
                   .sectors_per_fat = 0,
                   .clusters = 0,
                   .media = 0xF8,
                   .is_floppy = false};
  divide(layout);
  if (layout.clusters <= kMostClusters && !is_near_the_limit(layout.clusters)) return layout;
  return hard_disk_layout(sectors, 2 * sectors_per_cluster);
}

void check_size(const FatVolume& volume) {
  constexpr std::uint64_t kLeast =
      36;  // a boot sector, two FATs, 32 of the root directory, a cluster
  constexpr std::uint64_t kMost = 4'193'120;  // clusters of 32 KiB, and less than one more
  constexpr std::uint64_t kEndOfDisk = 1ULL << 32U;
  if (volume.sectors < kLeast || volume.sectors > kMost) {
    throw SetupError(
        fmt::format("a FAT volume of {} sectors: give it {} at least, and {} (2 GiB) at most",
                    volume.sectors, kLeast, kMost));
  }
  if (volume.hidden > kEndOfDisk - volume.sectors) {
    throw SetupError(
        fmt::format("a FAT volume of {} sectors after {} hidden ones ends beyond sector 2^32: move "
                    "it to a lower "
                    "sector",
                    volume.sectors, volume.hidden));
  }
}

}  // namespace

FatLayout layout_of(const FatVolume& volume) {
  check_size(volume);
  const auto* const floppy =
      std::ranges::find(kFloppies, volume.sectors, &FloppyParameters::sectors);
  if (floppy == kFloppies.end() || volume.hidden != 0) {
    return hard_disk_layout(volume.sectors, 1);
  }
  FatLayout layout{.sectors = volume.sectors,
                   .sectors_per_cluster = floppy->sectors_per_cluster,
                   .root_entries = floppy->root_entries,
                   .sectors_per_fat = 0,
                   .clusters = 0,
                   .media = floppy->media,
                   .is_floppy = true};
  divide(layout);
  return layout;
}

}  // namespace hltest::internal
