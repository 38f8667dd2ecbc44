#include <hltest/x86/page_walk.h>

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace hltest {
namespace {

constexpr std::uint64_t kPresent = 1U << 0U;
constexpr std::uint64_t kAccessed = 1U << 5U;
constexpr std::uint64_t kDirty = 1U << 6U;
constexpr std::uint64_t kPageSize = 1U << 7U;
constexpr std::uint64_t kLargePagePat = 1U << 12U;
constexpr std::uint64_t kNoExecuteBit = 1ULL << 63U;
constexpr std::uint64_t kAddress = 0x000F'FFFF'FFFF'F000;

std::uint64_t bits(unsigned from, unsigned to) {
  return to < from ? 0 : (~0ULL >> (63U - to)) & (~0ULL << from);
}

bool is_pae_pointer(PagingMode mode, unsigned level) {
  return mode == PagingMode::kPae && level == 2;
}

bool is_page(const PagingContext& context, unsigned level, std::uint64_t entry) {
  if (level == 0) return true;
  if ((entry & kPageSize) == 0) return false;
  if (context.mode == PagingMode::k32Bit) return context.large_pages;
  return level <= 2 && !is_pae_pointer(context.mode, level);
}

// The bits that have to be 0 in a present entry (SDM vol. 3, tables 4-3 to 4-19).
std::uint64_t reserved_bits(const PagingContext& context, unsigned level, std::uint64_t entry) {
  if (context.mode == PagingMode::k32Bit) {
    // Bits 20:13 of a 4 MiB page are bits 39:32 of its address, as far as MAXPHYADDR reaches.
    const unsigned high = context.physical_bits > 32 ? context.physical_bits - 32 : 0;
    const unsigned first_reserved = high >= 8 ? 21 : 13 + high;
    return level == 1 && is_page(context, level, entry) ? bits(first_reserved, 21) : 0;
  }
  std::uint64_t reserved = bits(context.physical_bits, 51);
  if (context.mode == PagingMode::kPae) reserved |= bits(52, 62);
  if (!context.no_execute) reserved |= kNoExecuteBit;
  if (is_pae_pointer(context.mode, level)) {
    // Without bit 5, where AMD's nested paging may set A. (Where it is reserved, MOV CR3 checks.)
    return reserved | bits(1, 2) | bits(6, 8) | kNoExecuteBit;
  }
  if (level > 2) return reserved | kPageSize;
  if (level > 0 && is_page(context, level, entry)) {
    reserved |= bits(13, paging_format(context.mode).shift(level) - 1);
  }
  return reserved;
}

Gpa page_address(const PagingContext& context, unsigned level, std::uint64_t entry) {
  const std::uint64_t offset = paging_format(context.mode).covered(level) - 1;
  if (context.mode == PagingMode::k32Bit && level == 1) {
    return Gpa{(entry & 0xFFC0'0000) | (entry & 0x001F'E000) << 19U};
  }
  return Gpa{entry & kAddress & ~offset};
}

// What this level allows of what the levels above did.
PageFlags restrict(PageFlags flags, std::uint64_t entry) {
  auto value = static_cast<std::uint64_t>(flags);
  value &= entry | ~static_cast<std::uint64_t>(kReadWrite | kUser);
  value |= entry & kNoExecuteBit;
  return static_cast<PageFlags>(value);
}

PageFlags caching(unsigned level, std::uint64_t entry) {
  auto flags = static_cast<PageFlags>(entry) & (kWriteThrough | kCacheDisable | kGlobal);
  if ((entry & (level == 0 ? kPageSize : kLargePagePat)) != 0) flags = flags | kPat;
  return flags;
}

}  // namespace

PagingContext paging_context(const Registers& registers) {
  PagingContext context;
  context.mode = paging_mode(registers);
  context.first_table = context.mode == PagingMode::kPae ? Gpa{registers.cr3.value & 0xFFFF'FFE0}
                                                         : registers.cr3.table();
  context.large_pages = registers.cr4.pse();
  context.no_execute = registers.efer.nxe();
  return context;
}

PageWalk walk_pages(const PagingContext& context, Gva gva, const PhysicalReader& read) {
  const PagingFormat format = paging_format(context.mode);
  PageWalk walk{.mode = context.mode, .gva = gva};
  if (!is_valid_linear_address(context.mode, gva)) {
    walk.end = WalkEnd::kNotAnAddress;
    return walk;
  }
  if (context.mode == PagingMode::kNone) {
    walk.gpa = Gpa{gva.value()};
    walk.page_size = 1ULL << 32U;
    walk.flags = kReadWrite | kUser;
    return walk;
  }
  walk.flags = kReadWrite | kUser;
  Gpa table = context.first_table;
  for (unsigned level = format.levels; level-- > 0;) {
    const Gpa address = table + format.index(gva, level) * format.entry_size;
    const std::optional<std::uint64_t> entry = read(address, format.entry_size);
    if (!entry.has_value()) {
      walk.end = WalkEnd::kOutsideMemory;
      return walk;
    }
    walk.steps.push_back({.level = level, .entry_address = address, .entry = *entry});
    if ((*entry & kPresent) == 0) {
      walk.end = WalkEnd::kNotPresent;
      return walk;
    }
    if ((*entry & reserved_bits(context, level, *entry)) != 0) {
      walk.end = WalkEnd::kReservedBit;
      return walk;
    }
    if (!is_pae_pointer(context.mode, level)) walk.flags = restrict(walk.flags, *entry);
    if (is_page(context, level, *entry)) {
      const std::uint64_t size = format.covered(level);
      walk.gpa = page_address(context, level, *entry) + (gva.value() & (size - 1));
      walk.page_size = size;
      walk.flags = walk.flags | caching(level, *entry);
      walk.accessed = (*entry & kAccessed) != 0;
      walk.dirty = (*entry & kDirty) != 0;
      return walk;
    }
    table = Gpa{*entry & kAddress};
  }
  return walk;
}

std::string size_name(std::uint64_t size) {
  if (size >= kGiB && size % kGiB == 0) return fmt::format("{} GiB", size / kGiB);
  if (size >= kMiB && size % kMiB == 0) return fmt::format("{} MiB", size / kMiB);
  return fmt::format("{} KiB", size / kKiB);
}

std::string entry_name(unsigned level) {
  static constexpr std::array kNames = {"PTE", "PDE", "PDPTE", "PML4E", "PML5E"};
  return kNames.at(level);
}

std::string to_string(WalkEnd end) {
  switch (end) {
    case WalkEnd::kTranslated:
      return "translated";
    case WalkEnd::kNotPresent:
      return "not present";
    case WalkEnd::kReservedBit:
      return "a reserved bit is set";
    case WalkEnd::kOutsideMemory:
      return "the table is not in memory";
    case WalkEnd::kNotAnAddress:
      return "not an address that this mode has";
  }
  return "unknown";
}

std::string to_string(const PageWalk& walk) {
  std::string text = fmt::format("{} of {}\n", to_string(walk.mode), to_string(walk.gva));
  const auto out = std::back_inserter(text);
  for (const WalkStep& step : walk.steps) {
    fmt::format_to(out, "  {:<5} at {}: {:#x}\n", entry_name(step.level),
                   to_string(step.entry_address), step.entry);
  }
  if (walk.translated()) {
    fmt::format_to(out, "  -> {}", to_string(walk.gpa));
    if (walk.mode == PagingMode::kNone) {
      text += ": without paging an address is itself\n";
      return text;
    }
    fmt::format_to(out, " {}, page of {}{}{}\n", to_string(walk.flags), size_name(walk.page_size),
                   walk.accessed ? ", accessed" : "", walk.dirty ? ", dirty" : "");
  } else {
    fmt::format_to(out, "  {}\n", to_string(walk.end));
  }
  return text;
}

}  // namespace hltest
