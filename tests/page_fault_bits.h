#pragma once

#include <cstdint>

// The bits of a page fault's error code (SDM vol. 3, figure 4-12).
inline constexpr std::uint32_t kProtection = 1;
inline constexpr std::uint32_t kWrite = 2;
inline constexpr std::uint32_t kUserMode = 4;
inline constexpr std::uint32_t kFetch = 16;
