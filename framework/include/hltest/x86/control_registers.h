#pragma once

#include <cstdint>

#include <hltest/x86/address.h>

namespace hltest {

/// CR0 (SDM vol. 3, 2.5).
struct Cr0 {
  static constexpr std::uint64_t kPe = 1U << 0U;   ///< protection enable
  static constexpr std::uint64_t kMp = 1U << 1U;   ///< monitor coprocessor
  static constexpr std::uint64_t kEm = 1U << 2U;   ///< x87 emulation
  static constexpr std::uint64_t kTs = 1U << 3U;   ///< task switched
  static constexpr std::uint64_t kEt = 1U << 4U;   ///< extension type, always 1
  static constexpr std::uint64_t kNe = 1U << 5U;   ///< numeric error
  static constexpr std::uint64_t kWp = 1U << 16U;  ///< write protect
  static constexpr std::uint64_t kAm = 1U << 18U;  ///< alignment mask
  static constexpr std::uint64_t kNw = 1U << 29U;  ///< not write-through
  static constexpr std::uint64_t kCd = 1U << 30U;  ///< cache disable
  static constexpr std::uint64_t kPg = 1U << 31U;  ///< paging

  std::uint64_t value = 0;

  [[nodiscard]] constexpr bool pe() const { return (value & kPe) != 0; }
  [[nodiscard]] constexpr bool mp() const { return (value & kMp) != 0; }
  [[nodiscard]] constexpr bool em() const { return (value & kEm) != 0; }
  [[nodiscard]] constexpr bool ts() const { return (value & kTs) != 0; }
  [[nodiscard]] constexpr bool et() const { return (value & kEt) != 0; }
  [[nodiscard]] constexpr bool ne() const { return (value & kNe) != 0; }
  [[nodiscard]] constexpr bool wp() const { return (value & kWp) != 0; }
  [[nodiscard]] constexpr bool am() const { return (value & kAm) != 0; }
  [[nodiscard]] constexpr bool nw() const { return (value & kNw) != 0; }
  [[nodiscard]] constexpr bool cd() const { return (value & kCd) != 0; }
  [[nodiscard]] constexpr bool pg() const { return (value & kPg) != 0; }
  friend constexpr bool operator==(Cr0, Cr0) = default;
};

/// CR3 (SDM vol. 3, 2.5 and 4.5): where the first paging structure is.
struct Cr3 {
  std::uint64_t value = 0;

  /// The first paging structure; 4 KiB aligned (bits 11:0 are flags or the PCID).
  [[nodiscard]] constexpr Gpa table() const { return Gpa{value & 0x000F'FFFF'FFFF'F000}; }
  friend constexpr bool operator==(Cr3, Cr3) = default;
};

/// CR4 (SDM vol. 3, 2.5).
struct Cr4 {
  static constexpr std::uint64_t kVme = 1U << 0U;
  static constexpr std::uint64_t kPvi = 1U << 1U;
  static constexpr std::uint64_t kTsd = 1U << 2U;
  static constexpr std::uint64_t kDe = 1U << 3U;
  static constexpr std::uint64_t kPse = 1U << 4U;  ///< 4 MiB pages in 32-bit paging
  static constexpr std::uint64_t kPae = 1U << 5U;  ///< physical address extension
  static constexpr std::uint64_t kMce = 1U << 6U;
  static constexpr std::uint64_t kPge = 1U << 7U;  ///< global pages
  static constexpr std::uint64_t kPce = 1U << 8U;
  static constexpr std::uint64_t kOsfxsr = 1U << 9U;       ///< FXSAVE and SSE are enabled
  static constexpr std::uint64_t kOsxmmexcpt = 1U << 10U;  ///< SSE exceptions raise #XM
  static constexpr std::uint64_t kUmip = 1U << 11U;
  static constexpr std::uint64_t kLa57 = 1U << 12U;  ///< 5-level paging
  static constexpr std::uint64_t kFsgsbase = 1U << 16U;
  static constexpr std::uint64_t kPcide = 1U << 17U;
  static constexpr std::uint64_t kOsxsave = 1U << 18U;
  static constexpr std::uint64_t kSmep = 1U << 20U;
  static constexpr std::uint64_t kSmap = 1U << 21U;

  std::uint64_t value = 0;

  [[nodiscard]] constexpr bool pse() const { return (value & kPse) != 0; }
  [[nodiscard]] constexpr bool pae() const { return (value & kPae) != 0; }
  [[nodiscard]] constexpr bool pge() const { return (value & kPge) != 0; }
  [[nodiscard]] constexpr bool osfxsr() const { return (value & kOsfxsr) != 0; }
  [[nodiscard]] constexpr bool osxmmexcpt() const { return (value & kOsxmmexcpt) != 0; }
  [[nodiscard]] constexpr bool la57() const { return (value & kLa57) != 0; }
  [[nodiscard]] constexpr bool osxsave() const { return (value & kOsxsave) != 0; }
  [[nodiscard]] constexpr bool smep() const { return (value & kSmep) != 0; }
  [[nodiscard]] constexpr bool smap() const { return (value & kSmap) != 0; }
  friend constexpr bool operator==(Cr4, Cr4) = default;
};

/// The model-specific register IA32_EFER (SDM vol. 3, 2.2.1).
struct Efer {
  static constexpr std::uint64_t kSce = 1U << 0U;   ///< SYSCALL enable
  static constexpr std::uint64_t kLme = 1U << 8U;   ///< IA-32e mode enable
  static constexpr std::uint64_t kLma = 1U << 10U;  ///< IA-32e mode active
  static constexpr std::uint64_t kNxe = 1U << 11U;  ///< execute-disable enable

  std::uint64_t value = 0;

  [[nodiscard]] constexpr bool sce() const { return (value & kSce) != 0; }
  [[nodiscard]] constexpr bool lme() const { return (value & kLme) != 0; }
  [[nodiscard]] constexpr bool lma() const { return (value & kLma) != 0; }
  [[nodiscard]] constexpr bool nxe() const { return (value & kNxe) != 0; }
  friend constexpr bool operator==(Efer, Efer) = default;
};

}  // namespace hltest
