#include <hltest/x86/page_walk.h>
#include "x86/paging/page_entry.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace hltest {

using namespace internal;
namespace {

// Takes away what an entry withholds of what those above it allow.
PageFlags restrict(PageFlags flags, const PageEntry& entry) {
  auto value = static_cast<std::uint64_t>(flags);
  if (entry.denies(PageRight::kWrite)) value &= ~static_cast<std::uint64_t>(kReadWrite);
  if (entry.denies(PageRight::kUserAccess)) value &= ~static_cast<std::uint64_t>(kUser);
  if (entry.denies(PageRight::kExecute)) value |= static_cast<std::uint64_t>(kNoExecute);
  return static_cast<PageFlags>(value);
}

// ` (R/W = 0, XD = 1)`: the rights that this entry is the first of its walk to withhold.
std::string denials_of(const PageWalk& walk, const WalkStep& step) {
  std::string text;
  for (const PageRight right : {PageRight::kWrite, PageRight::kUserAccess, PageRight::kExecute}) {
    if (step_that_denies(walk, right) != &step) continue;
    text += text.empty() ? " (" : ", ";
    text += denial(right);
  }
  return text.empty() ? text : text + ")";
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
    const std::optional<std::uint64_t> value = read(address, format.entry_size);
    if (!value.has_value()) {
      walk.end = WalkEnd::kOutsideMemory;
      return walk;
    }
    walk.steps.push_back({.level = level, .entry_address = address, .entry = *value});
    const PageEntry entry{.mode = context.mode, .level = level, .value = *value};
    if (!entry.present()) {
      walk.end = WalkEnd::kNotPresent;
      return walk;
    }
    walk.reserved = entry.value & entry.reserved_bits(context);
    if (walk.reserved != 0) {
      walk.end = WalkEnd::kReservedBit;
      return walk;
    }
    walk.flags = restrict(walk.flags, entry);
    if (entry.is_page(context)) {
      const std::uint64_t size = format.covered(level);
      walk.gpa = entry.page_address() + (gva.value() & (size - 1));
      walk.page_size = size;
      walk.flags = walk.flags | entry.caching();
      walk.accessed = entry.accessed();
      walk.dirty = entry.dirty();
      return walk;
    }
    table = entry.table_address();
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
      return "not a linear address of this mode";
  }
  return "unknown";
}

std::string to_string(const PageWalk& walk) {
  std::string text = fmt::format("{} of {}\n", to_string(walk.mode), to_string(walk.gva));
  const auto out = std::back_inserter(text);
  for (const WalkStep& step : walk.steps) {
    fmt::format_to(out, "  {:<5} at {}: {:#x}{}\n", entry_name(step.level),
                   to_string(step.entry_address), step.entry, denials_of(walk, step));
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
    fmt::format_to(out, "  {}", to_string(walk.end));
    if (walk.reserved != 0) {
      fmt::format_to(out, ": {}",
                     describe_reserved_bits(entry_of(walk, walk.steps.back()), walk.reserved));
    }
    text += '\n';
  }
  return text;
}

}  // namespace hltest
