#include "start/page_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

// What the system region grows by, so that large pages map it.
constexpr std::uint64_t kGrowth = 4 * kMiB;

void map_identity(PageMap& map, Gpa base, std::uint64_t size, PageFlags flags) {
  const bool below_4_gib = paging_format(map.mode()).linear_bits == 32;
  if (below_4_gib && base >= kHighMemory) return;
  map.map({.gva = Gva{base.value()}, .gpa = base, .size = size, .flags = flags});
}

PageMap with_identity(const AddressMap& own, const MemoryLayout& memory,
                      std::uint64_t region_size) {
  PageMap map{own.mode()};
  map_identity(map, kSystemRegion, region_size, kReadWrite);
  for (const Region& region : regions_of(memory)) {
    if (region.kind == RegionKind::kRam) {
      map_identity(map, region.base, region.size, own.is_user() ? kReadWrite | kUser : kReadWrite);
    }
  }
  for (const AddressMap::Change& change : own.changes()) {
    try {
      apply(change, map);
    } catch (const PagingError& error) {
      throw PagingError(fmt::format(
          "{} (the guest starts with its memory mapped to itself: use remap, or unmap first)",
          error.what()));
    }
  }
  return map;
}

// Checked before they are made, since they would fill the host's memory.
void check_room(const PageMap& map, std::uint64_t most_tables) {
  const PagingFormat format = paging_format(map.mode());
  std::uint64_t tables = 0;
  for (const PageMapping& mapping : map.mappings()) {
    const std::uint64_t large = format.covered(1);
    const bool small_pages = mapping.page_size == PageSize::k4KiB ||
                             (mapping.gva.value() ^ mapping.gpa.value()) % large != 0;
    const unsigned table_level = mapping.page_size == PageSize::k1GiB ? 2 : small_pages ? 0 : 1;
    tables += mapping.size / format.covered(table_level + 1);
  }
  if (tables <= most_tables) return;
  throw PagingError(
      fmt::format("the page tables for these mappings need {} MiB at least, and there is room for "
                  "{}: map less, "
                  "or by larger pages",
                  tables * sizeof(PageTable) / kMiB, most_tables * sizeof(PageTable) / kMiB));
}

PagingError no_room(const MemoryLayout& memory, const PlacedPageTables& placed) {
  return PagingError(fmt::format(
      "the page tables ({}{}) do not fit in the guest's memory, {}: place them elsewhere, or give "
      "the guest more memory",
      placed.tables.empty() ? "from " : fmt::format("{:#x} bytes at ", placed.size()),
      to_string(placed.first_table), describe_ram(memory)));
}

PlacedPageTables build_in_ram(const AddressMap& own, const MemoryLayout& memory,
                              const LargePages& available) {
  PlacedPageTables placed{.first_table = *own.placed_at(), .region_size = kGrowth};
  constexpr std::uint64_t kMostTables = 256 * kMiB / sizeof(PageTable);
  if (!is_ram(memory, placed.first_table, sizeof(PageTable))) throw no_room(memory, placed);
  const PageMap map = with_identity(own, memory, placed.region_size);
  check_room(map, std::min(kMostTables, memory.ram_size / sizeof(PageTable)));
  placed.tables = build_page_tables(map, placed.first_table, available);
  if (!is_ram(memory, placed.first_table, placed.size())) throw no_room(memory, placed);
  return placed;
}

}  // namespace

PlacedPageTables build_page_tables_for(const AddressMap& map, const MemoryLayout& memory,
                                       const LargePages& available) {
  if (map.placed_at().has_value()) return build_in_ram(map, memory, available);
  // The tables lie in the region that they map, so its size and theirs depend on each other.
  PlacedPageTables placed{.first_table = map.first_table(), .region_size = kGrowth};
  for (;;) {
    const PageMap pages = with_identity(map, memory, placed.region_size);
    check_room(pages, (kKvmReserved - kSystemRegion - kPageTablesOffset) / sizeof(PageTable));
    placed.tables = build_page_tables(pages, placed.first_table, available);
    const std::uint64_t needed = kPageTablesOffset + placed.size();
    if (needed <= placed.region_size) return placed;
    placed.region_size = (needed + kGrowth - 1) / kGrowth * kGrowth;
    if (kSystemRegion + placed.region_size > kKvmReserved) {
      throw PagingError(fmt::format(
          "the page tables for these mappings need {} MiB, and there is room for 250: map less, or "
          "by larger pages",
          needed / kMiB));
    }
  }
}

void apply(const AddressMap::Change& change, PageMap& map) {
  using Kind = AddressMap::Change::Kind;
  switch (change.kind) {
    case Kind::kMap:
      map.map(change.mapping);
      break;
    case Kind::kRemap:
      map.remap(change.mapping);
      break;
    case Kind::kUnmap:
      map.unmap(change.mapping.gva, change.mapping.size);
      break;
  }
}

}  // namespace hltest::internal
