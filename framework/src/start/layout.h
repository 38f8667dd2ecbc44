#pragma once

#include <vector>

#include <hltest/image.h>
#include <hltest/start_registers.h>
#include <hltest/start_state.h>

#include "vm/snapshot.h"

namespace hltest::internal {

/// What a guest is laid out in: its RAM as its test wrote it, and its processor.
struct Surroundings {
  MemoryPages pages{};
  /// The vectors of the real-mode IVT that the test has written to: they stay as they are.
  std::vector<bool> own_vectors{};
  bool has_gigabyte_pages = true;  ///< CPUID's Page1GB
};

/// Lays a start state out: the image and the framework's tables in memory, and the registers that
/// the image is entered with, `start` in place of the state's own. A function of its arguments; it
/// needs no KVM. Throws `SetupError`, `RegisterError` or `PagingError` for input that makes no
/// sense: an image or an entry that is not in the guest's memory, registers that contradict one
/// another, mappings that overlap.
Snapshot lay_out(const StartState& state, const FlatImage& image, const StartRegisters& start,
                 const Surroundings& surroundings);

}  // namespace hltest::internal
