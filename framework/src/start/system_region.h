#pragma once

#include <hltest/image.h>
#include <hltest/start_state.h>

#include "start/layout.h"

namespace hltest::internal {

/// Writes the framework's tables into a guest's memory, where memory_layout.h has them: the HLTs
/// that serve as handlers, IVT or IDT, GDT, LDT, TSS and the page tables, if the state has a paging
/// mode. An IVT goes to address 0 unless `image` lies there, when it goes into the ROM; vectors
/// that the test has written stay its own. Returns where the IDT (IVT) is. Throws `PagingError`
/// where mappings and the identity map overlap, and for page tables that are to be where `image`
/// is.
Gva put_system_region(const StartState& state, const FlatImage& image,
                      const Surroundings& surroundings, MemoryPages& memory);

}  // namespace hltest::internal
