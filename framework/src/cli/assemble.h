#pragma once

#include <string>
#include <vector>

#include <hltest/image.h>
#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest::cli {

/// NASM could not assemble the source; its own messages are already on stderr.
struct AssemblerFailed {};

/// The image of `source`, with its lines and labels: assembles it with `nasm -f bin` from the PATH,
/// as `hltest_add_guests()` does for `mode`: its bits are the default, and the constants of
/// <hltest/memory_layout.h> are defined. NASM's messages go to stderr, and its warnings are
/// no errors. `options` are given to it as they are. Throws `AssemblerFailed`, and `UsageError`
/// where there is no NASM.
FlatImage assemble(const std::string& source, CpuMode mode, Gpa load_address,
                   const std::vector<std::string>& options = {});

}  // namespace hltest::cli
