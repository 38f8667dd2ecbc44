#pragma once

#include <string_view>

#include "guest/nasm_map.h"

namespace hltest::internal {

/// Gives local labels that a source defines before its first global label their own names. NASM
/// (2.16.01) starts its last pass with the source's last global label still current, and so lists
/// an early `.loop` as `last.loop`. The listing shows which labels are early.
void rename_early_labels(NasmMap& map, std::string_view listing);

}  // namespace hltest::internal
