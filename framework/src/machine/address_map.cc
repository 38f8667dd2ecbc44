#include "machine/address_map.h"
#include <hltest/memory_layout.h>

#include <fmt/format.h>

#include <algorithm>

namespace hltest {
namespace {

// What the system region grows by, so that large pages map it.
constexpr std::uint64_t kGrowth = 4 * kMiB;

void map_identity(PageMap& map, Gpa base, std::uint64_t size, PageFlags flags) {
  const bool below_4_gib = paging_format(map.mode()).linear_bits == 32;
  if (below_4_gib && base >= kHighMemory) return;
  map.map({.gva = Gva{base.value()}, .gpa = base, .size = size, .flags = flags});
}

}  // namespace

void AddressMap::set_mode(PagingMode mode) {
  if (!changes_.empty()) {
    throw PagingError("choose the paging mode before mapping anything: the mappings are those of " +
                      to_string(mode_));
  }
  mode_ = mode;
  own_.reset();
}

void AddressMap::apply(const Change& change, PageMap& map) {
  switch (change.kind) {
    case Change::Kind::kMap:
      map.map(change.mapping);
      break;
    case Change::Kind::kRemap:
      map.remap(change.mapping);
      break;
    case Change::Kind::kUnmap:
      map.unmap(change.mapping.gva, change.mapping.size);
      break;
  }
}

void AddressMap::change(Change::Kind kind, const PageMapping& mapping) {
  if (!own_.has_value()) own_.emplace(mode_);
  const Change latest{kind, mapping};
  apply(latest, *own_);
  changes_.push_back(latest);
}

void AddressMap::map(const PageMapping& mapping) { change(Change::Kind::kMap, mapping); }
void AddressMap::remap(const PageMapping& mapping) { change(Change::Kind::kRemap, mapping); }
void AddressMap::unmap(Gva gva, std::uint64_t size) {
  change(Change::Kind::kUnmap, {.gva = gva, .size = size});
}

bool AddressMap::is_mapped_by_test(Gva gva) const {
  return own_.has_value() &&
         std::ranges::any_of(own_->mappings(), [gva](const PageMapping& mapping) {
           return gva >= mapping.gva && gva <= mapping.last();
         });
}

Gpa AddressMap::first_table() const {
  return placed_at_.value_or(kSystemRegion + kPageTablesOffset);
}

void AddressMap::place_at(Gpa first_table) {
  if (!first_table.is_aligned(sizeof(PageTable))) {
    throw PagingError(fmt::format("page tables at {}: a table is at a multiple of 4 KiB",
                                  to_string(first_table)));
  }
  placed_at_ = first_table;
}

PageMap AddressMap::with_identity(const GuestMemory& memory, std::uint64_t region_size) const {
  PageMap map{mode_};
  map_identity(map, kSystemRegion, region_size, kReadWrite);
  for (const MemoryRegion& region : memory.regions()) {
    if (region.kind == MemoryRegion::Kind::kRam) {
      map_identity(map, region.base, region.bytes.size(), user_ ? kReadWrite | kUser : kReadWrite);
    }
  }
  for (const Change& change : changes_) {
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

namespace {

// Told before they are made: they would fill the host's memory.
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

PagingError no_room(const GuestMemory& memory, const PlacedPageTables& placed) {
  return PagingError(fmt::format(
      "the page tables ({}{}) do not fit in the guest's memory, {}: place them elsewhere, or give "
      "the guest more memory",
      placed.tables.empty() ? "from " : fmt::format("{:#x} bytes at ", placed.size()),
      to_string(placed.first_table), memory.describe_ram()));
}

}  // namespace

PlacedPageTables AddressMap::build_in_ram(const GuestMemory& memory) const {
  PlacedPageTables placed{.first_table = *placed_at_, .region_size = kGrowth};
  constexpr std::uint64_t kMostTables = 256 * kMiB / sizeof(PageTable);
  if (!memory.is_ram(placed.first_table, sizeof(PageTable))) throw no_room(memory, placed);
  const PageMap map = with_identity(memory, placed.region_size);
  check_room(map, std::min(kMostTables, memory.size() / sizeof(PageTable)));
  placed.tables = build_page_tables(map, placed.first_table);
  if (!memory.is_ram(placed.first_table, placed.size())) throw no_room(memory, placed);
  return placed;
}

PlacedPageTables AddressMap::build(const GuestMemory& memory) const {
  if (placed_at_.has_value()) return build_in_ram(memory);
  // The tables lie in the region that they map, so its size and theirs depend on each other.
  PlacedPageTables placed{.first_table = first_table(), .region_size = kGrowth};
  for (;;) {
    const PageMap map = with_identity(memory, placed.region_size);
    check_room(map, (kKvmReserved - kSystemRegion - kPageTablesOffset) / sizeof(PageTable));
    placed.tables = build_page_tables(map, placed.first_table);
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

}  // namespace hltest
