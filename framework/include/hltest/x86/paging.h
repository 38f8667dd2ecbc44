#pragma once

#include <hltest/error.h>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/paging_mode.h>

namespace hltest {

/// The size of a mapping's pages.
enum class PageSize : std::uint64_t {
  kLargest = 0,  ///< page by page the largest that fits; 1 GiB pages only if asked for
  k4KiB = 4 * kKiB,
  k2MiB = 2 * kMiB,  ///< PAE, 4-level and 5-level paging
  k4MiB = 4 * kMiB,  ///< 32-bit paging (requires CR4.PSE)
  k1GiB = 1 * kGiB,  ///< 4-level and 5-level paging, if CPUID shows it
};

/// What a mapping allows and how it is cached; combine with `|`. The bits are those of a page-table
/// entry for a 4 KiB page (SDM vol. 3, table 4-20); in a large page's entry PAT is moved to its
/// place there.
enum class PageFlags : std::uint64_t {
  kReadOnly = 0,
  kReadWrite = 1ULL << 1U,     ///< R/W: writes are allowed
  kUser = 1ULL << 2U,          ///< U/S: CPL 3 may access
  kWriteThrough = 1ULL << 3U,  ///< PWT
  kCacheDisable = 1ULL << 4U,  ///< PCD
  kPat = 1ULL << 7U,           ///< PAT: the upper half of the page attribute table
  kGlobal = 1ULL << 8U,        ///< G: kept in the TLB over a change of CR3
  kNoExecute = 1ULL << 63U,    ///< XD: no instruction fetches (not in 32-bit paging)
};
constexpr PageFlags operator|(PageFlags left, PageFlags right) {
  return static_cast<PageFlags>(static_cast<std::uint64_t>(left) |
                                static_cast<std::uint64_t>(right));
}
constexpr PageFlags operator&(PageFlags left, PageFlags right) {
  return static_cast<PageFlags>(static_cast<std::uint64_t>(left) &
                                static_cast<std::uint64_t>(right));
}
inline constexpr PageFlags kReadOnly = PageFlags::kReadOnly;
inline constexpr PageFlags kReadWrite = PageFlags::kReadWrite;
inline constexpr PageFlags kUser = PageFlags::kUser;
inline constexpr PageFlags kWriteThrough = PageFlags::kWriteThrough;
inline constexpr PageFlags kCacheDisable = PageFlags::kCacheDisable;
inline constexpr PageFlags kPat = PageFlags::kPat;
inline constexpr PageFlags kGlobal = PageFlags::kGlobal;
inline constexpr PageFlags kNoExecute = PageFlags::kNoExecute;

/// `rwx`-like letters: `r`, `w` or `-`, `x` or `-`, then `u` for user and `g` for global,
/// then ` PWT`, ` PCD` and ` PAT` where they are set.
std::string to_string(PageFlags flags);

/// Translates `size` bytes of guest-virtual addresses from `gva` on to those from `gpa` on.
struct PageMapping {
  Gva gva{};
  Gpa gpa{};
  /// In bytes; like both addresses a multiple of the page size (of 4 KiB for `kLargest`).
  std::uint64_t size = 4 * kKiB;
  PageFlags flags = kReadWrite;
  PageSize page_size = PageSize::kLargest;

  [[nodiscard]] Gva last() const { return gva + (size - 1); }
};

/// `0x400000-0x5fffff -> 0x200000`, followed by the page size if the mapping asks for one.
std::string to_string(const PageMapping& mapping);

/// A mapping that no page tables can express: misaligned, not an address of the paging mode, or
/// overlapping another.
class PagingError : public Error {
 public:
  using Error::Error;
};

/// The mappings of one address space: what page tables are generated from.
class PageMap {
 public:
  /// Of 4-level paging.
  PageMap() : PageMap(PagingMode::k4Level) {}
  /// Throws `PagingError` for `PagingMode::kNone`.
  explicit PageMap(PagingMode mode);

  [[nodiscard]] PagingMode mode() const { return mode_; }

  /// Throws `PagingError` for a mapping that is empty or misaligned, that has addresses, flags or a
  /// page size which the mode lacks, and for one that overlaps another (the error names both).
  void map(const PageMapping& mapping);
  /// Removes the addresses from every mapping. A mapping that contains them is split; the rest of
  /// it uses the largest pages that fit. Throws `PagingError` unless both are multiples of 4 KiB.
  void unmap(Gva gva, std::uint64_t size);
  /// `unmap`, then `map`. Throws `PagingError`, and then changes nothing.
  void remap(const PageMapping& mapping);

  /// By address, no two overlapping.
  [[nodiscard]] const std::vector<PageMapping>& mappings() const { return mappings_; }

 private:
  void check(const PageMapping& mapping) const;

  PagingMode mode_;
  std::vector<PageMapping> mappings_;
};

/// One page of paging-structure entries: 512 of 8 bytes, or 1024 of 4 in 32-bit paging.
using PageTable = std::array<std::uint8_t, 4096>;

/// Which of the pages over 4 KiB a processor has, of those that not every one has.
struct LargePages {
  bool pse = true;       ///< CR4.PSE: 4 MiB pages in 32-bit paging
  bool gigabyte = true;  ///< CPUID.80000001H:EDX.Page1GB: 1 GiB pages
};

/// Generates the page tables (SDM vol. 3, 4.3 to 4.5). CR3 points to the first of them; place them
/// one after the other from `first_table` (4 KiB aligned) on. Uses no page that `available` lacks;
/// throws `PagingError` if a mapping asks for one, and if a table would be at an address that no
/// entry can hold.
std::vector<PageTable> build_page_tables(const PageMap& map, Gpa first_table,
                                         const LargePages& available = {});

}  // namespace hltest
