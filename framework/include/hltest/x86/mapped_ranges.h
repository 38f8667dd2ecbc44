#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <hltest/x86/page_walk.h>

namespace hltest {

/// Contiguous addresses that map to contiguous addresses, with the same flags.
struct MappedRange {
  Gva gva{};
  Gpa gpa{};
  std::uint64_t size = 0;  ///< in bytes
  PageFlags flags = PageFlags::kReadOnly;

  [[nodiscard]] Gva last() const { return gva + (size - 1); }
  friend bool operator==(const MappedRange&, const MappedRange&) = default;
};

/// `0x0000000000000000-0x0000000000ffffff -> 0x0 rwx`.
std::string to_string(const MappedRange& range);

/// Everything that page tables map, as ranges in ascending order.
struct MappedRanges {
  std::vector<MappedRange> ranges{};
  /// Walks that end at an entry with a reserved bit or a table outside memory.
  std::vector<PageWalk> broken{};
  /// Whether reading stopped early, at a limit.
  bool truncated = false;
};

/// Reads the tables, up to `most_entries` entries and 65536 ranges: tables that share tables can
/// map 2^36 pages. Without paging the result is one range of 4 GiB.
MappedRanges mapped_ranges(const PagingContext& context, const PhysicalReader& read,
                           std::size_t most_entries = 1U << 22U);

/// One line for each range, then one for each broken entry.
std::string to_string(const MappedRanges& map);

}  // namespace hltest
