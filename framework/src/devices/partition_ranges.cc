#include "devices/partition_ranges.h"

#include <fmt/format.h>

#include <hltest/error.h>

#include "x86/counted.h"

namespace hltest::internal {
namespace {

void check_place(std::size_t index, const PartitionRange& range, std::uint64_t first,
                 std::uint64_t last) {
  if (range.sectors == 0) {
    throw SetupError(fmt::format("partition {} has 0 sectors: give it one at least", index + 1));
  }
  const bool is_within =
      range.first >= first && range.first <= last && range.sectors - 1 <= last - range.first;
  if (is_within) return;
  throw SetupError(
      fmt::format("partition {} has {} from sector {} on: partitions lie in sectors {} to "
                  "{} of this disk",
                  index + 1, counted(range.sectors, "sector"), range.first, first, last));
}

void check_overlap(const std::vector<PartitionRange>& ranges, std::size_t index) {
  const PartitionRange& range = ranges[index];
  for (std::size_t i = 0; i < index; ++i) {
    const PartitionRange& other = ranges[i];
    const bool is_apart =
        range.first >= other.first + other.sectors || other.first >= range.first + range.sectors;
    if (is_apart) continue;
    throw SetupError(fmt::format("{} and {} overlap: move one of them", describe(i, other),
                                 describe(index, range)));
  }
}

void check_content(std::size_t index, const PartitionRange& range) {
  for (const DiskPart& part : range.content) {
    const std::uint64_t size = part.bytes().size();
    const std::uint64_t sectors = (size + Disk::kSectorSize - 1) / Disk::kSectorSize;
    if (part.lba < range.sectors && sectors <= range.sectors - part.lba) continue;
    throw SetupError(
        fmt::format("{} has {}, and its content {} needs {} from its sector {} on: make it larger",
                    describe(index, range), counted(range.sectors, "sector"), part.image.name(),
                    sectors, part.lba));
  }
}

}  // namespace

std::string describe(std::size_t index, const PartitionRange& range) {
  return fmt::format("partition {} (sectors {}-{})", index + 1, range.first,
                     range.first + range.sectors - 1);
}

void check_ranges(const std::vector<PartitionRange>& ranges, std::uint64_t first,
                  std::uint64_t last) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    check_place(i, ranges[i], first, last);
    check_overlap(ranges, i);
    check_content(i, ranges[i]);
  }
}

void add_content(const std::vector<PartitionRange>& ranges, std::vector<DiskPart>& parts) {
  for (const PartitionRange& range : ranges) {
    for (DiskPart part : range.content) {
      part.lba += range.first;
      parts.push_back(std::move(part));
    }
  }
}

}  // namespace hltest::internal
