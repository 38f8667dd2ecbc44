#pragma once

#include <string>
#include <vector>

#include <hltest/memory.h>

namespace hltest {

/// The 25 rows of the VGA's text mode, as the guest's memory at 0xB8000 has them, in UTF-8 (the
/// characters are code page 437); trailing spaces are cut. Empty where the guest has no memory
/// there.
std::vector<std::string> text_screen(const GuestMemory& memory);

}  // namespace hltest
