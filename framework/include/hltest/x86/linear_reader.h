#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <hltest/x86/address.h>

namespace hltest {

/// Reads `count` bytes of guest-virtual memory from `gva` on; fewer where they are not mapped or
/// not in memory.
using LinearReader = std::function<std::vector<std::uint8_t>(Gva gva, std::size_t count)>;

}  // namespace hltest
