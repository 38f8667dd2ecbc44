#pragma once

#include <cstdint>
#include <string>

#include <hltest/x86/vector.h>

namespace hltest::internal {

/// The error code of a #PF (SDM vol. 3, figure 4-12).
struct PageFaultErrorCode {
  std::uint32_t value = 0;

  [[nodiscard]] constexpr bool present() const { return (value & 1U) != 0; }   ///< P
  [[nodiscard]] constexpr bool write() const { return (value & 2U) != 0; }     ///< W/R
  [[nodiscard]] constexpr bool user() const { return (value & 4U) != 0; }      ///< U/S
  [[nodiscard]] constexpr bool reserved() const { return (value & 8U) != 0; }  ///< RSVD
  [[nodiscard]] constexpr bool fetch() const { return (value & 16U) != 0; }    ///< I/D
};

/// The error code of #TS, #NP, #SS and #GP (SDM vol. 3, figure 6-7): what selector or vector it
/// was.
struct SelectorErrorCode {
  std::uint32_t value = 0;

  /// The event was external to the program, such as a fault during the delivery of another.
  [[nodiscard]] constexpr bool external() const { return (value & 1U) != 0; }
  /// The index is that of a gate of the IDT: `vector()`.
  [[nodiscard]] constexpr bool idt() const { return (value & 2U) != 0; }
  [[nodiscard]] constexpr bool ldt() const { return !idt() && (value & 4U) != 0; }
  [[nodiscard]] constexpr Vector vector() const { return static_cast<Vector>(value >> 3U & 0xFF); }
  /// The selector, with TI and without RPL.
  [[nodiscard]] constexpr std::uint16_t selector() const {
    return static_cast<std::uint16_t>(value & 0xFFFC);
  }
};

/// The error code in words: `write, user, not present`, `GDT selector 0x80`, `gate for vector
/// 0x21`; empty where it says nothing.
std::string describe_error_code(Vector vector, std::uint32_t error_code);

}  // namespace hltest::internal
