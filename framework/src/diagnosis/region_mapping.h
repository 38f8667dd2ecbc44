#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <hltest/x86/registers.h>

#include "vm/backing.h"

namespace hltest::internal {

/// Where a guest's page tables, with one mapping more, have the replay's region.
struct RegionMapping {
  Gva region{};
  std::uint64_t cr3 = 0;
};

/// Makes room for the replay's region (memory_layout.h) in a copy of the guest's first table, where
/// that maps nothing, or at least none of `in_use`, so that all else is as it was. The tables go
/// into `tables`, which is part of the region, `offset` bytes from its start: five pages. Without
/// paging the region is where it is. Nothing where there is no room.
std::optional<RegionMapping> map_region(const Registers& registers, const Backing& memory,
                                        const std::vector<Gva>& in_use,
                                        std::span<std::uint8_t> tables, std::uint64_t offset);

}  // namespace hltest::internal
