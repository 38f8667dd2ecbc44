#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <hltest/x86/address.h>

namespace hltest {

/// The size of the pages that a mapping is made of.
enum class PageSize : std::uint64_t { k4KiB = 4 * kKiB, k2MiB = 2 * kMiB };

/// What a mapping allows; combine with `|`. The bits are those of a page-table entry
/// (SDM vol. 3, table 4-20).
enum class PageFlags : std::uint64_t {
  kReadOnly = 0,
  kReadWrite = 1ULL << 1U,   ///< R/W: writes are allowed
  kUser = 1ULL << 2U,        ///< U/S: CPL 3 may access
  kNoExecute = 1ULL << 63U,  ///< XD: no instruction fetches
};
constexpr PageFlags operator|(PageFlags left, PageFlags right) {
  return static_cast<PageFlags>(static_cast<std::uint64_t>(left) |
                                static_cast<std::uint64_t>(right));
}
inline constexpr PageFlags kReadOnly = PageFlags::kReadOnly;
inline constexpr PageFlags kReadWrite = PageFlags::kReadWrite;
inline constexpr PageFlags kUser = PageFlags::kUser;
inline constexpr PageFlags kNoExecute = PageFlags::kNoExecute;

/// `size` bytes of guest-virtual addresses from `gva` on, that translate to those from `gpa` on.
struct PageMapping {
  Gva gva{};
  Gpa gpa{};
  /// In bytes; like both addresses a multiple of the page size.
  std::uint64_t size = 4 * kKiB;
  PageFlags flags = kReadWrite;
  PageSize page_size = PageSize::k4KiB;
};

/// `0x400000-0x5fffff -> 0x200000, 2 MiB pages`.
std::string to_string(const PageMapping& mapping);

/// A mapping that no page tables can express: misaligned, not canonical, or overlapping another.
class PagingError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// The mappings of one address space: what the page tables are generated from.
class PageMap {
 public:
  /// Throws `PagingError` for a mapping that is empty, misaligned, not canonical or beyond 52
  /// physical address bits, and for one that overlaps another (the error names both).
  void map(const PageMapping& mapping);

  [[nodiscard]] const std::vector<PageMapping>& mappings() const { return mappings_; }

 private:
  std::vector<PageMapping> mappings_;  // by address, no two overlapping
};

/// One page of 64-bit paging-structure entries.
using PageTable = std::array<std::uint64_t, 512>;

/// Generates 4-level page tables (SDM vol. 3, 4.5): the first of the returned tables is the PML4,
/// and they are to be placed one behind the other from `first_table` (4 KiB aligned) on.
std::vector<PageTable> build_page_tables(const PageMap& map, Gpa first_table);

}  // namespace hltest
