#include <hltest/x86/xstate.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace hltest {
namespace {

// Offsets in the XSAVE area (SDM vol. 1, tables 10-2 and 13.4.2).
constexpr std::size_t kFcw = 0;
constexpr std::size_t kMxcsr = 24;
constexpr std::size_t kXmm0 = 160;
constexpr std::size_t kXstateBv = 512;
constexpr std::uint8_t kX87AndSse = 3;
constexpr std::size_t kXmmSize = 16;
constexpr unsigned kXmmCount = 16;

void check(unsigned index) {
  if (index >= kXmmCount) throw std::out_of_range("XState: there are XMM0 to XMM15");
}

}  // namespace

XState XState::initial() {
  XState state;
  constexpr std::uint16_t kInitialFcw = 0x37F;
  constexpr std::uint32_t kInitialMxcsr = 0x1F80;
  std::memcpy(state.area.data() + kFcw, &kInitialFcw, sizeof kInitialFcw);
  std::memcpy(state.area.data() + kMxcsr, &kInitialMxcsr, sizeof kInitialMxcsr);
  state.area.at(kXstateBv) = kX87AndSse;
  return state;
}

std::array<std::uint8_t, 16> XState::xmm(unsigned index) const {
  check(index);
  std::array<std::uint8_t, kXmmSize> value{};
  std::copy_n(area.begin() + kXmm0 + static_cast<std::ptrdiff_t>(index * kXmmSize), kXmmSize,
              value.begin());
  return value;
}

void XState::set_xmm(unsigned index, const std::array<std::uint8_t, 16>& value) {
  check(index);
  std::copy_n(value.begin(), kXmmSize,
              area.begin() + kXmm0 + static_cast<std::ptrdiff_t>(index * kXmmSize));
  area.at(kXstateBv) |= kX87AndSse;
}

std::uint16_t XState::fcw() const {
  std::uint16_t value = 0;
  std::memcpy(&value, area.data() + kFcw, sizeof value);
  return value;
}

std::uint32_t XState::mxcsr() const {
  std::uint32_t value = 0;
  std::memcpy(&value, area.data() + kMxcsr, sizeof value);
  return value;
}

}  // namespace hltest
