#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <hltest/disk.h>
#include <hltest/image.h>

/// Disks with partitions and volumes, composed of guests and files. All are made of `DiskPart`s, so
/// a report names the source lines of their boot sectors and programs.

namespace hltest {

/// An entry of the partition table in a master boot record.
struct Partition {
  std::uint64_t first = 0;    ///< its first sector on the disk: 1 to 2^32 - 1
  std::uint64_t sectors = 0;  ///< 1 to 2^32 - 1
  /// What it is for: 0x01 FAT12, 0x06 FAT16, 0x0C FAT32 by LBA, 0x83 Linux, ...; 0 is no partition.
  std::uint8_t type = 0x0C;
  /// The boot indicator is 80h: the boot code is to start this one.
  bool is_active = false;
  /// What is in it; sector 0 is the partition's first.
  std::vector<DiskPart> content{};
};

/// A hard disk that begins with `boot_code`, a guest of up to 446 bytes, or of a sector with zeros
/// in bytes 446 to 509. There the partition table is filled in, in the given order, with LBAs and
/// with cylinders, heads and sectors of the disk's geometry (FE FF FF beyond cylinder 1023); bytes
/// 510 and 511 become 55 AA (UEFI 2.10, 5.2.1). The disk ends with the last partition, rounded up
/// to 1008 sectors (16 heads of 63), and so has no floppy's size. Throws `SetupError` for more than
/// four partitions; for one that begins at sector 0, has no sectors, has type 0, overlaps another
/// or ends beyond 2 TiB; for content that is larger than its partition; and for a guest that uses
/// the bytes above.
Disk mbr_disk(const FlatImage& boot_code, const std::vector<Partition>& partitions);

/// Types of GPT partitions (UEFI 2.10, table 5.7; the second is Microsoft's for FAT and NTFS).
inline constexpr const char* kEfiSystemPartition = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
inline constexpr const char* kBasicDataPartition = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";

/// An entry of a GUID partition table.
struct GptPartition {
  /// A GUID as text: five groups of 8, 4, 4, 4 and 12 hexadecimal digits.
  std::string type = kBasicDataPartition;
  std::uint64_t first = 0;    ///< its first sector on the disk: 34 or more
  std::uint64_t sectors = 0;  ///< 1 or more
  std::u16string name{};      ///< 36 UTF-16 units at most
  /// Attribute bit 2, "legacy BIOS bootable": boot code for a BIOS starts this one.
  bool is_legacy_bootable = false;
  /// What is in it; sector 0 is the partition's first.
  std::vector<DiskPart> content{};
};

/// A disk of `sectors` (68 or more) with a protective MBR, and a GUID partition table of 128
/// entries at its beginning and, as a copy, at its end (UEFI 2.10, 5.2.3 and 5.3). Partitions lie
/// in sectors 34 to `sectors` - 35. The GUIDs of disk and partitions are made of the partitions'
/// numbers, the same each time. `boot_code` has up to 440 bytes, or zeros from byte 440 to 509.
/// Throws `SetupError` for a smaller disk or one of more than 2 TiB; more than 128 partitions; a
/// partition that has no sectors, overlaps another or lies outside the sectors above; a type that
/// is no GUID or all zeros; a name that is too long; content that is larger than its partition; and
/// boot code that is too large.
Disk gpt_disk(std::uint64_t sectors, const std::vector<GptPartition>& partitions,
              const std::optional<FlatImage>& boot_code = std::nullopt);

/// A file in the root directory of a FAT volume.
struct FatFile {
  /// `KERNEL.BIN`: 1 to 8 characters, and an extension of up to 3, of A-Z, 0-9 and
  /// !#$%&'()-@^_`{}~
  std::string name{};
  /// Bytes, or a guest, whose source lines reports name.
  std::variant<std::vector<std::uint8_t>, FlatImage> content{};
  /// The clusters that it lies in, in this order: all that it needs, each from 2 on. If it is
  /// empty: the first that no file has. For fragmented files.
  std::vector<std::uint16_t> clusters{};
};

/// A FAT12 or FAT16 volume: of fewer than 4085 clusters FAT12, otherwise FAT16 (Microsoft FAT
/// specification, 1.03). At a floppy's size (`Disk::has_floppy_size`) without hidden sectors it has
/// the floppy's usual parameters, at 1.44 MB these: clusters of one sector, two FATs of 9 sectors,
/// 224 entries in the root directory, media F0h. Otherwise: media F8h, 512 entries, drive 80h, and
/// the smallest clusters with which their number is 16 away from the limits of both types.
struct FatVolume {
  std::vector<FatFile> files{};
  /// Its first bytes are a jump (EBh or E9h) to byte 62 or later. In bytes 3 to 61 the BIOS
  /// parameter block is filled in: there it may have zeros, NOPs, or what the volume has. Bytes 510
  /// and 511 become 55 AA. Without one, the volume has a sector that halts.
  std::optional<FlatImage> boot_sector{};
  std::uint64_t sectors = 2880;
  /// The sectors of the disk before the volume: `Partition::first`, or 0 on a floppy.
  std::uint64_t hidden = 0;
  /// Of the disk that it is on. If it is not given: as `Disk::geometry` has it for a disk that ends
  /// with this volume.
  std::optional<DiskGeometry> geometry{};
};

/// The volume, to be the content of a partition: sector 0 is its boot sector.
/// Throws `SetupError` for a file's name that is not as above or is there twice; for files that
/// need more clusters, or entries of the root directory, than there are; for `FatFile::clusters`
/// that are too few or too many, outside the volume, or another file's; for a volume without room
/// for a cluster, or with more than 65508 clusters of 32 KiB (2 GiB), or that ends beyond sector
/// 2^32 of the disk; and for a boot sector that is larger than a sector or not as above.
std::vector<DiskPart> fat_parts(const FatVolume& volume);

/// A disk that is one volume, such as a floppy. Throws as `fat_parts` does.
Disk fat_disk(const FatVolume& volume);

}  // namespace hltest
