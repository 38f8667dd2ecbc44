#pragma once

#include <hltest/image.h>
#include <hltest/x86/cpu_mode.h>
#include "machine/address_map.h"
#include "machine/guest_memory.h"
#include "machine/start_descriptors.h"

namespace hltest {

/// Writes the framework's tables into the guest's memory, where memory_layout.h has them: the HLTs
/// that serve as handlers, IVT or IDT, GDT, LDT, TSS and the page tables of `map`, if it has a
/// paging mode. An IVT goes to address 0 unless `image` lies there, when it goes into the ROM.
/// Returns where the IDT (IVT) is. Throws `PagingError` where `map` and the identity map overlap,
/// and for page tables that are to be where `image` is.
Gva lay_out_system_region(GuestMemory& memory, CpuMode mode, const StartDescriptors& descriptors,
                          const AddressMap& map, const FlatImage& image);

}  // namespace hltest
