#include <hltest/address_map.h>

#include <fmt/format.h>

#include <algorithm>

#include <hltest/memory_layout.h>

#include "start/page_tables.h"

namespace hltest {

void AddressMap::set_mode(PagingMode mode) {
  if (!changes_.empty()) {
    throw PagingError("choose the paging mode before mapping anything: the mappings are those of " +
                      to_string(mode_));
  }
  mode_ = mode;
  own_.reset();
}

void AddressMap::change(Change::Kind kind, const PageMapping& mapping) {
  if (!own_.has_value()) own_.emplace(mode_);
  const Change latest{kind, mapping};
  internal::apply(latest, *own_);
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

}  // namespace hltest
