#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/paging.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// Reads `size` bytes (4 or 8) of the guest's physical memory; nothing if they are not in memory.
using PhysicalReader = std::function<std::optional<std::uint64_t>(Gpa gpa, unsigned size)>;

/// The control registers and features that decide how page tables are read.
struct PagingContext {
  PagingMode mode = PagingMode::kNone;
  Gpa first_table{};            ///< of CR3: 4 KiB aligned, in PAE paging 32 bytes
  bool large_pages = true;      ///< in 32-bit paging: CR4.PSE
  bool gigabyte_pages = true;   ///< CPUID.80000001H:EDX.Page1GB: else PS of a PDPTE is reserved
  bool no_execute = true;       ///< EFER.NXE: else bit 63 of an entry is reserved
  unsigned physical_bits = 52;  ///< MAXPHYADDR: higher address bits of an entry are reserved
};

/// The context for these registers. CPUID decides the rest: `gigabyte_pages` and
/// `physical_bits` are left as they are.
PagingContext paging_context(const Registers& registers);

/// One entry that a walk read. Level 0 is the page table's.
struct WalkStep {
  unsigned level = 0;
  Gpa entry_address{};
  std::uint64_t entry = 0;
};

/// Why a walk ended without a translation.
enum class WalkEnd {
  kTranslated,
  kNotPresent,     ///< P is 0 in the last entry
  kReservedBit,    ///< the last entry has a bit set that is reserved (SDM vol. 3, 4.7)
  kOutsideMemory,  ///< the table that the last entry (or CR3) points to is not in memory
  kNotAnAddress,   ///< not a linear address of the mode: not canonical, or over 32 bits
};

/// The translation of a linear to a physical address, step by step.
struct PageWalk {
  PagingMode mode = PagingMode::kNone;
  Gva gva{};
  WalkEnd end = WalkEnd::kTranslated;
  std::vector<WalkStep> steps{};  ///< from the table that CR3 points to downwards
  std::uint64_t reserved = 0;     ///< for `kReservedBit`: those of the last entry's bits
  /// The rest is for a walk that ended in a translation.
  Gpa gpa{};
  std::uint64_t page_size = 0;  ///< in bytes
  PageFlags flags =
      PageFlags::kReadOnly;  ///< what all levels together allow, and the page's caching
  bool accessed = false;     ///< A of the page's entry
  bool dirty = false;        ///< D of the page's entry

  [[nodiscard]] bool translated() const { return end == WalkEnd::kTranslated; }
};

/// Walks the tables as the processor would, but sets no A and D bits.
PageWalk walk_pages(const PagingContext& context, Gva gva, const PhysicalReader& read);

/// The walk in lines: each entry's level, address and bits, the rights that it is the first to
/// withhold (`R/W = 0`, `U/S = 0`, `XD = 1`), and the result.
std::string to_string(const PageWalk& walk);

/// The SDM's name for an entry of the table at `level`: `PML4E`, `PDPTE`, `PDE` and so on.
std::string entry_name(unsigned level);

/// `4 KiB`, `2 MiB`, `1 GiB`.
std::string size_name(std::uint64_t size);

/// Why a walk ended, in words: `not present`.
std::string to_string(WalkEnd end);

}  // namespace hltest
