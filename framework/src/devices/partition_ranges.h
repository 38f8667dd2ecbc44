#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hltest/disk.h>

namespace hltest::internal {

/// What all partitions have, whatever table they are in. Its parts outlive it.
struct PartitionRange {
  std::uint64_t first;
  std::uint64_t sectors;
  const std::vector<DiskPart>& content;
};

/// `partition 2 (sectors 64-127)`, of the partition with this index.
std::string describe(std::size_t index, const PartitionRange& range);

/// Throws `SetupError` for a partition that has no sectors, is not within `first` to `last`,
/// overlaps another, or has less room than its content needs.
void check_ranges(const std::vector<PartitionRange>& ranges, std::uint64_t first,
                  std::uint64_t last);

/// Adds what is in the partitions to a disk's parts.
void add_content(const std::vector<PartitionRange>& ranges, std::vector<DiskPart>& parts);

}  // namespace hltest::internal
