#pragma once

#include <array>
#include <cstdint>

namespace hltest {

/// The x87, SSE and AVX registers of one processor, in the standard form of the XSAVE area (SDM
/// vol. 1, 13.4), with XCR0.
struct XState {
  /// Which parts are enabled: bit 0 x87, bit 1 SSE, bit 2 AVX (SDM vol. 1, 13.3).
  std::uint64_t xcr0 = 1;
  /// The legacy region (512 bytes), the XSAVE header (64 bytes), the extended region.
  std::array<std::uint8_t, 4096> area{};

  /// As the processor has it after RESET: FCW = 0x37F, MXCSR = 0x1F80, all else 0.
  static XState initial();

  /// XMM0 to XMM15, lowest byte first. Throws std::out_of_range.
  [[nodiscard]] std::array<std::uint8_t, 16> xmm(unsigned index) const;
  void set_xmm(unsigned index, const std::array<std::uint8_t, 16>& value);
  [[nodiscard]] std::uint16_t fcw() const;
  [[nodiscard]] std::uint32_t mxcsr() const;

  friend bool operator==(const XState&, const XState&) = default;
};

}  // namespace hltest
