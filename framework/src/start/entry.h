#pragma once

#include <hltest/image.h>
#include <hltest/start_registers.h>
#include <hltest/start_state.h>

#include "vm/backing.h"

namespace hltest::internal {

/// Throws `SetupError` for an image that is empty or not wholly in RAM.
void check_image(const FlatImage& image, const MemoryLayout& memory);

/// The registers that `image` is entered with: the state's, with RIP at the image's entry unless it
/// or `start` gives one, and with `start` in place of the rest. In real mode an entry that CS = 0
/// does not reach is entered at CS = entry / 16, unless CS is given. Throws `RegisterError` for a
/// value that does not fit, `SetupError` for an entry that is beyond the limit of CS or, as far as
/// the start state's memory map tells, not in memory.
Registers entry_registers(const FlatImage& image, const StartState& state,
                          const StartRegisters& start, const MemoryLayout& memory);

}  // namespace hltest::internal
