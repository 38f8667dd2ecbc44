// Disks with a master boot record (UEFI 2.10, 5.2.1).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/disk_layout.h>
#include <hltest/error.h>

#include "devices/chs.h"
#include "devices/first_sector.h"
#include "devices/partition_ranges.h"
#include "devices/sector_bytes.h"

namespace hltest {
namespace {

using internal::chs_of;
using internal::PartitionRange;
using internal::put;

constexpr std::size_t kTable = 446;
constexpr std::size_t kEntrySize = 16;
constexpr std::size_t kEntries = 4;
constexpr std::uint64_t kLastSector = 0xFFFF'FFFF;

void put_entry(std::span<std::uint8_t> entry, const Partition& partition,
               const DiskGeometry& geometry) {
  constexpr std::array<std::uint8_t, 3> kBeyondChs = {0xFE, 0xFF, 0xFF};
  const std::uint64_t last = partition.first + partition.sectors - 1;
  entry[0] = partition.is_active ? 0x80 : 0;
  std::ranges::copy(chs_of(partition.first, geometry).value_or(kBeyondChs), &entry[1]);
  entry[4] = partition.type;
  std::ranges::copy(chs_of(last, geometry).value_or(kBeyondChs), &entry[5]);
  put(entry, 8, static_cast<std::uint32_t>(partition.first));
  put(entry, 12, static_cast<std::uint32_t>(partition.sectors));
}

std::vector<PartitionRange> checked_ranges(const std::vector<Partition>& partitions) {
  if (partitions.size() > kEntries) {
    throw SetupError(
        fmt::format("{} partitions: a master boot record has 4 at most, so use gpt_disk for more",
                    partitions.size()));
  }
  std::vector<PartitionRange> ranges;
  ranges.reserve(partitions.size());
  for (const Partition& each : partitions) {
    ranges.push_back({each.first, each.sectors, each.content});
    if (each.type == 0) {
      throw SetupError(
          fmt::format("partition {} has type 0, which is that of an unused entry: give it another",
                      ranges.size()));
    }
  }
  internal::check_ranges(ranges, 1, kLastSector);
  return ranges;
}

// Whole cylinders of 16 heads and 63 sectors. No standard floppy has such a size.
std::uint64_t size_of(const std::vector<PartitionRange>& ranges) {
  constexpr std::uint64_t kCylinder = std::uint64_t{16} * 63;
  std::uint64_t end = 1;
  for (const PartitionRange& range : ranges) end = std::max(end, range.first + range.sectors);
  return std::min((end + kCylinder - 1) / kCylinder * kCylinder, kLastSector + 1);
}

}  // namespace

Disk mbr_disk(const FlatImage& boot_code, const std::vector<Partition>& partitions) {
  const std::vector<PartitionRange> ranges = checked_ranges(partitions);
  const std::uint64_t sectors = size_of(ranges);
  std::array<std::uint8_t, kEntries * kEntrySize> table{};
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    put_entry(std::span{table}.subspan(i * kEntrySize, kEntrySize), partitions[i],
              Disk{sectors}.geometry());
  }
  internal::require_zeros(boot_code, kTable, kTable + table.size(), "the partition table");
  std::vector<DiskPart> parts{sector(internal::first_sector(boot_code, kTable, table))};
  internal::add_content(ranges, parts);
  return {sectors, std::move(parts)};
}

}  // namespace hltest
