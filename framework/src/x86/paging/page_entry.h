#pragma once

#include <cstdint>
#include <string>

#include <hltest/x86/address.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/paging.h>
#include <hltest/x86/paging_mode.h>

namespace hltest::internal {

/// What an entry may take away from the pages below it (SDM vol. 3, 4.6).
enum class PageRight { kWrite, kUserAccess, kExecute };

/// An entry of a paging structure, with the bits by the SDM's names (SDM vol. 3, 4.3 to 4.5). The
/// one place that knows what an entry of each level of each mode can be.
struct PageEntry {
  static constexpr std::uint64_t kP = 1U << 0U;     ///< present
  static constexpr std::uint64_t kRw = 1U << 1U;    ///< R/W
  static constexpr std::uint64_t kUs = 1U << 2U;    ///< U/S
  static constexpr std::uint64_t kPwt = 1U << 3U;   ///< write-through
  static constexpr std::uint64_t kPcd = 1U << 4U;   ///< cache disable
  static constexpr std::uint64_t kA = 1U << 5U;     ///< accessed
  static constexpr std::uint64_t kD = 1U << 6U;     ///< dirty; of a page
  static constexpr std::uint64_t kPs = 1U << 7U;    ///< a large page; at level 0 the bit is PAT
  static constexpr std::uint64_t kG = 1U << 8U;     ///< global; of a page
  static constexpr std::uint64_t kXd = 1ULL << 63;  ///< execute disable

  PagingMode mode = PagingMode::kNone;
  unsigned level = 0;  ///< 0: the page table's
  std::uint64_t value = 0;

  /// The entry that maps a page of `level`'s size at `gpa`.
  static PageEntry page(PagingMode mode, unsigned level, Gpa gpa, PageFlags flags);
  /// The entry that points to the table at `gpa` and, where it has the bits, allows writes and CPL
  /// 3 as `flags` do. Execution is left to the page's entry.
  static PageEntry table(PagingMode mode, unsigned level, Gpa gpa, PageFlags flags);

  [[nodiscard]] bool present() const { return (value & kP) != 0; }
  [[nodiscard]] bool accessed() const { return (value & kA) != 0; }
  [[nodiscard]] bool dirty() const { return (value & kD) != 0; }

  /// Whether this is one of the four PDPTEs of PAE paging, which have no R/W, U/S, A, PS and XD.
  [[nodiscard]] bool is_pae_pdpte() const { return mode == PagingMode::kPae && level == 2; }
  /// Whether the entry withholds a right. A PDPTE of PAE paging never does.
  [[nodiscard]] bool denies(PageRight right) const;
  /// Whether a present entry maps a page, on a processor with these features.
  [[nodiscard]] bool is_page(const PagingContext& context) const;
  /// The bits that have to be 0 in a present entry, on a processor with these features.
  [[nodiscard]] std::uint64_t reserved_bits(const PagingContext& context) const;
  /// The same when MOV to CR0, CR3 or CR4 loads the PDPTEs of PAE paging (SDM vol. 3, 4.4.1).
  [[nodiscard]] std::uint64_t reserved_bits_of_loaded_pdpte(const PagingContext& context) const;

  /// Where the table is that a present entry points to.
  [[nodiscard]] Gpa table_address() const;
  /// Where the page is that it maps.
  [[nodiscard]] Gpa page_address() const;
  /// PWT, PCD, PAT and G of the page that it maps.
  [[nodiscard]] PageFlags caching() const;
};

/// The entry that a walk looked at.
PageEntry entry_of(const PageWalk& walk, const WalkStep& step);

/// The first present entry of a walk that denies a right, or nullptr.
const WalkStep* step_that_denies(const PageWalk& walk, PageRight right);

/// `R/W = 0`, `U/S = 0` or `XD = 1`.
std::string denial(PageRight right);

/// Which reserved bits are set, and why they are reserved: `bit 63 (XD), while EFER.NXE is 0`.
/// `reserved` are those of `entry`'s bits that are set and reserved.
std::string describe_reserved_bits(const PageEntry& entry, std::uint64_t reserved);

}  // namespace hltest::internal
