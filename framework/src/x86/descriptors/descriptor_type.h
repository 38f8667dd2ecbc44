#pragma once

#include <cstdint>

/// The type field of a descriptor, bits 43:40.
namespace hltest::internal::descriptor_type {

// Types of a system descriptor: that of the 16-bit one, and what makes it 32-bit (SDM vol. 3, table
// 3-2). In IA-32e mode the 32-bit ones' types are those of the 64-bit ones.
inline constexpr std::uint8_t kTss = 0x1;
inline constexpr std::uint8_t kBusyBit = 0x2;
inline constexpr std::uint8_t kCallGate = 0x4;
inline constexpr std::uint8_t kTaskGate = 0x5;
inline constexpr std::uint8_t kInterruptGate = 0x6;
inline constexpr std::uint8_t kTrapGate = 0x7;
inline constexpr std::uint8_t kWide = 0x8;

// Types of a code or data descriptor (SDM vol. 3, table 3-1).
inline constexpr std::uint8_t kAccessed = 0x1;
inline constexpr std::uint8_t kReadableOrWritable = 0x2;
inline constexpr std::uint8_t kConformingOrExpandDown = 0x4;
inline constexpr std::uint8_t kCode = 0x8;

}  // namespace hltest::internal::descriptor_type
