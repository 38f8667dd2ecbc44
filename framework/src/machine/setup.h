#pragma once

#include <stdexcept>

#include <hltest/image.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>
#include "machine/address_map.h"
#include "machine/guest_memory.h"
#include "machine/mmio_bus.h"
#include "machine/start_registers.h"

namespace hltest {

/// A run that can't begin: the image or its entry are not in the guest's memory, or a setting makes
/// no sense. The message names the input and what to do.
class SetupError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Throws `SetupError` for an image that is empty or not wholly in RAM, and for an MMIO handler
/// where there is memory, which would never be asked.
void check_image(const FlatImage& image, const GuestMemory& memory, const MmioBus& mmio);

/// The registers that `image` is entered with: `base`, with RIP at the image's entry unless `base`
/// or `start` have one, and with `start` in place of the rest. In real mode an entry that CS = 0
/// does not reach is entered at CS = entry / 16. `map` is what the page tables will map. Throws
/// `RegisterError` for a value that does not fit, `SetupError` for an entry that is beyond the
/// limit of CS or, as far as the start state's memory map tells, not in memory.
Registers entry_registers(const FlatImage& image, const Registers& base,
                          const StartRegisters& start, CpuMode mode, const GuestMemory& memory,
                          const AddressMap& map);

}  // namespace hltest
