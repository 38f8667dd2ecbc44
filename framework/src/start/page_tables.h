#pragma once

#include <cstdint>
#include <vector>

#include <hltest/address_map.h>
#include <hltest/x86/paging.h>

#include "vm/backing.h"

namespace hltest::internal {

/// Page tables, where the first of them is, and the size of the system region with them.
struct PlacedPageTables {
  std::vector<PageTable> tables{};
  Gpa first_table{};
  std::uint64_t region_size = 0;

  [[nodiscard]] std::uint64_t size() const { return tables.size() * sizeof(PageTable); }
};

/// The tables of `map` for a guest with this memory, of pages that are available to it. Throws
/// `PagingError`, also where the tables are to be placed in RAM and don't fit.
PlacedPageTables build_page_tables_for(const AddressMap& map, const MemoryLayout& memory,
                                       const LargePages& available);

/// Makes one change of an address map. Throws `PagingError`.
void apply(const AddressMap::Change& change, PageMap& map);

}  // namespace hltest::internal
