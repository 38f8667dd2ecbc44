#pragma once

#include <cstdint>
#include <string>

#include <hltest/x86/address.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// How linear addresses become physical ones (SDM vol. 3, 4.1.1).
enum class PagingMode {
  kNone,    ///< CR0.PG = 0: linear addresses are physical addresses
  k32Bit,   ///< CR4.PAE = 0: 2 levels, pages of 4 KiB and (with CR4.PSE) 4 MiB
  kPae,     ///< CR4.PAE = 1, EFER.LMA = 0: 3 levels, pages of 4 KiB and 2 MiB
  k4Level,  ///< EFER.LMA = 1, CR4.LA57 = 0: pages of 4 KiB, 2 MiB and 1 GiB
  k5Level,  ///< EFER.LMA = 1, CR4.LA57 = 1: likewise, with 57-bit linear addresses
};

/// The paging mode of a processor with these registers.
PagingMode paging_mode(const Registers& registers);

/// `no paging`, `32-bit paging`, `PAE paging`, `4-level paging` or `5-level paging`.
std::string to_string(PagingMode mode);

/// The shape of one paging mode's tables. Levels count from the page table, which is level 0.
struct PagingFormat {
  unsigned levels;         ///< 0 without paging
  unsigned entry_size;     ///< bytes
  unsigned index_bits;     ///< of all levels but PAE's first, which has 2
  unsigned linear_bits;    ///< of a linear address: 32, 48 or 57
  unsigned physical_bits;  ///< that an entry has room for: 32 or 52

  /// How far right a linear address is shifted to index the table at `level`.
  [[nodiscard]] constexpr unsigned shift(unsigned level) const { return 12 + index_bits * level; }
  /// The index into the table at `level`.
  [[nodiscard]] constexpr std::uint64_t index(Gva gva, unsigned level) const {
    return (gva.value() & ((1ULL << linear_bits) - 1)) >> shift(level) & ((1ULL << index_bits) - 1);
  }
  /// The address of the mode with these lower bits: canonical, where the mode has such (SDM vol. 1,
  /// 3.3.7.1).
  [[nodiscard]] constexpr Gva canonical(std::uint64_t lower_bits) const {
    if (linear_bits == 32) return Gva{lower_bits & 0xFFFF'FFFF};
    const std::uint64_t sign = 1ULL << (linear_bits - 1);
    return Gva{((lower_bits & (2 * sign - 1)) ^ sign) - sign};
  }
  /// The size of what one entry at `level` covers.
  [[nodiscard]] constexpr std::uint64_t covered(unsigned level) const {
    return 1ULL << shift(level);
  }
  /// How many entries the table at `level` has.
  [[nodiscard]] constexpr unsigned entries(unsigned level) const {
    return 1U << (shift(level) + index_bits > linear_bits ? linear_bits - shift(level)
                                                          : index_bits);
  }
};

/// The format of a mode's tables (SDM vol. 3, table 4-1).
constexpr PagingFormat paging_format(PagingMode mode) {
  switch (mode) {
    case PagingMode::k32Bit:
      return {
          .levels = 2, .entry_size = 4, .index_bits = 10, .linear_bits = 32, .physical_bits = 32};
    case PagingMode::kPae:
      return {
          .levels = 3, .entry_size = 8, .index_bits = 9, .linear_bits = 32, .physical_bits = 52};
    case PagingMode::k4Level:
      return {
          .levels = 4, .entry_size = 8, .index_bits = 9, .linear_bits = 48, .physical_bits = 52};
    case PagingMode::k5Level:
      return {
          .levels = 5, .entry_size = 8, .index_bits = 9, .linear_bits = 57, .physical_bits = 52};
    case PagingMode::kNone:
      break;
  }
  return {.levels = 0, .entry_size = 0, .index_bits = 0, .linear_bits = 32, .physical_bits = 32};
}

/// Whether `gva` is a linear address of this mode: below 4 GiB, or canonical, which is to say that
/// its upper bits equal the highest translated one (SDM vol. 1, 3.3.7.1).
bool is_valid_linear_address(PagingMode mode, Gva gva);

/// The range of a mode's addresses, for an error: `32-bit addresses`, `canonical addresses (…)`.
std::string describe_linear_addresses(PagingMode mode);

}  // namespace hltest
