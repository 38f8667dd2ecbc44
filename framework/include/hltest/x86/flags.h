#pragma once

#include <cstdint>
#include <string>

namespace hltest {

/// RFLAGS (SDM vol. 1, 3.4.3). Bit 1 is always set.
struct Rflags {
  static constexpr std::uint64_t kFixed = 1U << 1U;
  static constexpr std::uint64_t kCf = 1U << 0U;
  static constexpr std::uint64_t kPf = 1U << 2U;
  static constexpr std::uint64_t kAf = 1U << 4U;
  static constexpr std::uint64_t kZf = 1U << 6U;
  static constexpr std::uint64_t kSf = 1U << 7U;
  static constexpr std::uint64_t kTf = 1U << 8U;
  static constexpr std::uint64_t kIf = 1U << 9U;
  static constexpr std::uint64_t kDf = 1U << 10U;
  static constexpr std::uint64_t kOf = 1U << 11U;
  static constexpr std::uint64_t kNt = 1U << 14U;
  static constexpr std::uint64_t kRf = 1U << 16U;
  static constexpr std::uint64_t kVm = 1U << 17U;
  static constexpr std::uint64_t kAc = 1U << 18U;

  std::uint64_t value = kFixed;

  [[nodiscard]] constexpr bool cf() const { return (value & kCf) != 0; }
  [[nodiscard]] constexpr bool pf() const { return (value & kPf) != 0; }
  [[nodiscard]] constexpr bool af() const { return (value & kAf) != 0; }
  [[nodiscard]] constexpr bool zf() const { return (value & kZf) != 0; }
  [[nodiscard]] constexpr bool sf() const { return (value & kSf) != 0; }
  [[nodiscard]] constexpr bool tf() const { return (value & kTf) != 0; }
  /// IF; `if` is a C++ keyword.
  [[nodiscard]] constexpr bool if_() const { return (value & kIf) != 0; }
  [[nodiscard]] constexpr bool df() const { return (value & kDf) != 0; }
  [[nodiscard]] constexpr bool of() const { return (value & kOf) != 0; }
  [[nodiscard]] constexpr unsigned iopl() const { return (value >> 12U) & 3U; }
  [[nodiscard]] constexpr bool nt() const { return (value & kNt) != 0; }
  [[nodiscard]] constexpr bool rf() const { return (value & kRf) != 0; }
  [[nodiscard]] constexpr bool vm() const { return (value & kVm) != 0; }
  [[nodiscard]] constexpr bool ac() const { return (value & kAc) != 0; }

  /// Sets or clears a flag: `set(Rflags::kCf, true)`.
  constexpr void set(std::uint64_t flags, bool on) { value = on ? value | flags : value & ~flags; }

  friend constexpr bool operator==(Rflags, Rflags) = default;
};

/// The names of the flags that are set, such as `CF ZF IF`; empty when none is.
std::string to_string(Rflags rflags);

}  // namespace hltest
