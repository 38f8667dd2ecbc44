#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <hltest/x86/page_walk.h>

namespace hltest {

/// Addresses that are mapped alike: side by side on both sides, with the same flags.
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

/// All that page tables map, as ranges in the order of their addresses.
struct MappedRanges {
  std::vector<MappedRange> ranges{};
  /// Entries that map nothing because something is wrong with them.
  std::vector<PageWalk> broken{};
  /// True when there was more than was to be read.
  bool truncated = false;
};

/// Reads the whole of the tables, up to `most_entries` of their entries and 65536 ranges: tables
/// that share tables can map 2^36 pages. Without paging there are none: one range of 4 GiB.
MappedRanges mapped_ranges(const PagingContext& context, const PhysicalReader& read,
                           std::size_t most_entries = 1U << 22U);

/// A line a range, then what is broken.
std::string to_string(const MappedRanges& map);

}  // namespace hltest
