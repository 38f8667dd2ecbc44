#pragma once

#include <hltest/diagnosis.h>

namespace hltest::internal {

/// Watches what a guest that timed out does next, in a VM of its own, for some hundred
/// instructions: an IN reads what the port last gave, an OUT and MMIO go nowhere. Fills in the
/// diagnosis' loop, and what the guest waits for.
void watch_loop(const Outcome& outcome, Diagnosis& diagnosis);

}  // namespace hltest::internal
