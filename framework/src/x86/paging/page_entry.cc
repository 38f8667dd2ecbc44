#include "x86/paging/page_entry.h"

#include <fmt/format.h>

#include <algorithm>

namespace hltest::internal {
namespace {

constexpr std::uint64_t kAddress = 0x000F'FFFF'FFFF'F000;
constexpr std::uint64_t kLargePagePat = 1U << 12U;

std::uint64_t bits(unsigned from, unsigned to) {
  return to < from ? 0 : (~0ULL >> (63U - to)) & (~0ULL << from);
}

// Where PAT is: a large page has PS in the place of a small one's PAT.
std::uint64_t pat_bit(unsigned level) { return level == 0 ? PageEntry::kPs : kLargePagePat; }

}  // namespace

PageEntry PageEntry::page(PagingMode mode, unsigned level, Gpa gpa, PageFlags flags) {
  const bool pat = (flags & kPat) != kReadOnly;
  std::uint64_t value = static_cast<std::uint64_t>(flags) & ~static_cast<std::uint64_t>(kPat);
  value |= gpa.value() | kP | (pat ? pat_bit(level) : 0) | (level > 0 ? kPs : 0);
  return {.mode = mode, .level = level, .value = value};
}

PageEntry PageEntry::table(PagingMode mode, unsigned level, Gpa gpa, PageFlags flags) {
  PageEntry entry{.mode = mode, .level = level, .value = gpa.value() | kP};
  if (!entry.is_pae_pdpte()) {
    entry.value |= static_cast<std::uint64_t>(flags & (kReadWrite | kUser));
  }
  return entry;
}

bool PageEntry::denies(PageRight right) const {
  if (is_pae_pdpte()) return false;
  switch (right) {
    case PageRight::kWrite:
      return (value & kRw) == 0;
    case PageRight::kUserAccess:
      return (value & kUs) == 0;
    case PageRight::kExecute:
      return (value & kXd) != 0;
  }
  return false;
}

bool PageEntry::is_page(const PagingContext& context) const {
  if (level == 0) return true;
  if ((value & kPs) == 0) return false;
  if (mode == PagingMode::k32Bit) return context.large_pages;
  if (level == 1) return true;
  return level == 2 && mode != PagingMode::kPae && context.gigabyte_pages;
}

// SDM vol. 3, tables 4-3 to 4-20.
std::uint64_t PageEntry::reserved_bits(const PagingContext& context) const {
  if (mode == PagingMode::k32Bit) {
    // Bits 20:13 of a 4 MiB page are bits 39:32 of its address, as far as MAXPHYADDR reaches.
    const unsigned high = context.physical_bits > 32 ? std::min(context.physical_bits - 32, 8U) : 0;
    return level == 1 && is_page(context) ? bits(13 + high, 21) : 0;
  }
  std::uint64_t reserved = bits(context.physical_bits, 51);
  if (mode == PagingMode::kPae) reserved |= bits(52, 62);
  if (!context.no_execute) reserved |= kXd;
  if (is_pae_pdpte()) {
    // Without bit 5: a processor that walks through the PDPTEs in memory, such as AMD's with nested
    // paging, may set A there.
    return reserved | bits(1, 2) | bits(6, 8) | kXd;
  }
  if (level == 0) return reserved;
  if (!is_page(context)) return level > 1 ? reserved | kPs : reserved;
  return reserved | bits(13, paging_format(mode).shift(level) - 1);
}

std::uint64_t PageEntry::reserved_bits_of_loaded_pdpte(const PagingContext& context) const {
  return reserved_bits(context) | kA;
}

Gpa PageEntry::table_address() const { return Gpa{value & kAddress}; }

Gpa PageEntry::page_address() const {
  if (mode == PagingMode::k32Bit && level == 1) {
    return Gpa{(value & 0xFFC0'0000) | (value & 0x001F'E000) << 19U};
  }
  return Gpa{value & kAddress & ~(paging_format(mode).covered(level) - 1)};
}

PageFlags PageEntry::caching() const {
  const PageFlags flags = static_cast<PageFlags>(value) & (kWriteThrough | kCacheDisable | kGlobal);
  return (value & pat_bit(level)) != 0 ? flags | kPat : flags;
}

PageEntry entry_of(const PageWalk& walk, const WalkStep& step) {
  return {.mode = walk.mode, .level = step.level, .value = step.entry};
}

const WalkStep* step_that_denies(const PageWalk& walk, PageRight right) {
  for (const WalkStep& step : walk.steps) {
    const PageEntry entry = entry_of(walk, step);
    if (entry.present() && entry.denies(right)) return &step;
  }
  return nullptr;
}

std::string denial(PageRight right) {
  switch (right) {
    case PageRight::kWrite:
      return "R/W = 0";
    case PageRight::kUserAccess:
      return "U/S = 0";
    case PageRight::kExecute:
      return "XD = 1";
  }
  return "unknown right";
}

std::string describe_reserved_bits(const PageEntry& entry, std::uint64_t reserved) {
  if (entry.is_pae_pdpte() && (reserved & ~kAddress) != 0) {
    return fmt::format("{:#x}: a PDPTE of PAE paging has neither R/W, U/S, PS nor XD", reserved);
  }
  if ((reserved & PageEntry::kXd) != 0) return "bit 63 (XD), while EFER.NXE is 0";
  if (entry.level > 1 && (reserved & PageEntry::kPs) != 0) {
    return entry.level == 2
               ? "bit 7 (PS), and CPUID shows no 1 GiB pages"
               : fmt::format("bit 7 (PS), and a {} maps no page", entry_name(entry.level));
  }
  if ((reserved & kAddress) >> 32U != 0) {
    return fmt::format("{:#x}, of an address above MAXPHYADDR", reserved & kAddress);
  }
  return fmt::format("{:#x}", reserved);
}

}  // namespace hltest::internal
