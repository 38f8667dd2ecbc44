#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <hltest/disk_layout.h>

namespace hltest::internal {

/// Where everything in a FAT12 or FAT16 volume is, in sectors from its first (Microsoft FAT
/// specification 1.03, sections 3 and 4).
struct FatLayout {
  static constexpr std::uint32_t kReserved = 1;
  static constexpr std::uint32_t kFats = 2;
  static constexpr std::uint32_t kFirstCluster = 2;
  static constexpr std::uint32_t kRootEntrySize = 32;

  std::uint64_t sectors;
  std::uint32_t sectors_per_cluster;
  std::uint32_t root_entries;
  std::uint32_t sectors_per_fat;
  std::uint32_t clusters;
  std::uint8_t media;
  bool is_floppy;

  [[nodiscard]] bool is_fat12() const { return clusters < 4085; }
  [[nodiscard]] std::uint32_t cluster_size() const {
    return sectors_per_cluster * std::uint32_t{Disk::kSectorSize};
  }
  [[nodiscard]] std::uint64_t first_of_root() const {
    return kReserved + kFats * std::uint64_t{sectors_per_fat};
  }
  [[nodiscard]] std::uint64_t first_of_cluster(std::uint32_t cluster) const {
    const std::uint64_t root_size = std::uint64_t{root_entries} * kRootEntrySize;
    const std::uint64_t data = first_of_root() + root_size / Disk::kSectorSize;
    return data + std::uint64_t{cluster - kFirstCluster} * sectors_per_cluster;
  }
};

/// The layout for the volume's size. Throws `SetupError` if there is none.
FatLayout layout_of(const FatVolume& volume);

/// The volume's boot sector with the BIOS parameter block. Throws `SetupError` if the volume's own
/// leaves no room for it.
FlatImage fat_boot_sector(const FatVolume& volume, const FatLayout& layout);

/// The clusters of each file, in order. Throws `SetupError` for clusters that a file cannot have.
std::vector<std::vector<std::uint16_t>> allocate(const std::vector<FatFile>& files,
                                                 const FatLayout& layout);

/// One FAT, with these chains.
std::vector<std::uint8_t> fat_of(const std::vector<std::vector<std::uint16_t>>& chains,
                                 const FatLayout& layout);

/// A name as a directory entry has it: 8 and 3 characters, filled up with spaces. Throws
/// `SetupError` for one that is not of that form.
std::vector<std::uint8_t> directory_name(const std::string& name);

/// The bytes of a file, as a guest of its own name or the file's.
FlatImage image_of(const FatFile& file);

}  // namespace hltest::internal
