#pragma once

#include <cstdint>

namespace hltest {

/// The sixteen general-purpose registers, with the SDM's names for their parts (SDM vol. 1, 3.4.1).
/// Outside 64-bit mode R8 to R15 do not exist and the upper halves of the others cannot be seen.
struct GeneralRegisters {
  std::uint64_t rax = 0;
  std::uint64_t rbx = 0;
  std::uint64_t rcx = 0;
  std::uint64_t rdx = 0;
  std::uint64_t rsi = 0;
  std::uint64_t rdi = 0;
  std::uint64_t rsp = 0;
  std::uint64_t rbp = 0;
  std::uint64_t r8 = 0;
  std::uint64_t r9 = 0;
  std::uint64_t r10 = 0;
  std::uint64_t r11 = 0;
  std::uint64_t r12 = 0;
  std::uint64_t r13 = 0;
  std::uint64_t r14 = 0;
  std::uint64_t r15 = 0;

  [[nodiscard]] constexpr std::uint32_t eax() const { return static_cast<std::uint32_t>(rax); }
  [[nodiscard]] constexpr std::uint16_t ax() const { return static_cast<std::uint16_t>(rax); }
  [[nodiscard]] constexpr std::uint8_t ah() const { return static_cast<std::uint8_t>(rax >> 8U); }
  [[nodiscard]] constexpr std::uint8_t al() const { return static_cast<std::uint8_t>(rax); }
  [[nodiscard]] constexpr std::uint32_t ebx() const { return static_cast<std::uint32_t>(rbx); }
  [[nodiscard]] constexpr std::uint16_t bx() const { return static_cast<std::uint16_t>(rbx); }
  [[nodiscard]] constexpr std::uint8_t bh() const { return static_cast<std::uint8_t>(rbx >> 8U); }
  [[nodiscard]] constexpr std::uint8_t bl() const { return static_cast<std::uint8_t>(rbx); }
  [[nodiscard]] constexpr std::uint32_t ecx() const { return static_cast<std::uint32_t>(rcx); }
  [[nodiscard]] constexpr std::uint16_t cx() const { return static_cast<std::uint16_t>(rcx); }
  [[nodiscard]] constexpr std::uint8_t ch() const { return static_cast<std::uint8_t>(rcx >> 8U); }
  [[nodiscard]] constexpr std::uint8_t cl() const { return static_cast<std::uint8_t>(rcx); }
  [[nodiscard]] constexpr std::uint32_t edx() const { return static_cast<std::uint32_t>(rdx); }
  [[nodiscard]] constexpr std::uint16_t dx() const { return static_cast<std::uint16_t>(rdx); }
  [[nodiscard]] constexpr std::uint8_t dh() const { return static_cast<std::uint8_t>(rdx >> 8U); }
  [[nodiscard]] constexpr std::uint8_t dl() const { return static_cast<std::uint8_t>(rdx); }
  [[nodiscard]] constexpr std::uint32_t esi() const { return static_cast<std::uint32_t>(rsi); }
  [[nodiscard]] constexpr std::uint16_t si() const { return static_cast<std::uint16_t>(rsi); }
  [[nodiscard]] constexpr std::uint8_t sil() const { return static_cast<std::uint8_t>(rsi); }
  [[nodiscard]] constexpr std::uint32_t edi() const { return static_cast<std::uint32_t>(rdi); }
  [[nodiscard]] constexpr std::uint16_t di() const { return static_cast<std::uint16_t>(rdi); }
  [[nodiscard]] constexpr std::uint8_t dil() const { return static_cast<std::uint8_t>(rdi); }
  [[nodiscard]] constexpr std::uint32_t esp() const { return static_cast<std::uint32_t>(rsp); }
  [[nodiscard]] constexpr std::uint16_t sp() const { return static_cast<std::uint16_t>(rsp); }
  [[nodiscard]] constexpr std::uint8_t spl() const { return static_cast<std::uint8_t>(rsp); }
  [[nodiscard]] constexpr std::uint32_t ebp() const { return static_cast<std::uint32_t>(rbp); }
  [[nodiscard]] constexpr std::uint16_t bp() const { return static_cast<std::uint16_t>(rbp); }
  [[nodiscard]] constexpr std::uint8_t bpl() const { return static_cast<std::uint8_t>(rbp); }
  [[nodiscard]] constexpr std::uint32_t r8d() const { return static_cast<std::uint32_t>(r8); }
  [[nodiscard]] constexpr std::uint16_t r8w() const { return static_cast<std::uint16_t>(r8); }
  [[nodiscard]] constexpr std::uint8_t r8b() const { return static_cast<std::uint8_t>(r8); }
  [[nodiscard]] constexpr std::uint32_t r9d() const { return static_cast<std::uint32_t>(r9); }
  [[nodiscard]] constexpr std::uint16_t r9w() const { return static_cast<std::uint16_t>(r9); }
  [[nodiscard]] constexpr std::uint8_t r9b() const { return static_cast<std::uint8_t>(r9); }
  [[nodiscard]] constexpr std::uint32_t r10d() const { return static_cast<std::uint32_t>(r10); }
  [[nodiscard]] constexpr std::uint16_t r10w() const { return static_cast<std::uint16_t>(r10); }
  [[nodiscard]] constexpr std::uint8_t r10b() const { return static_cast<std::uint8_t>(r10); }
  [[nodiscard]] constexpr std::uint32_t r11d() const { return static_cast<std::uint32_t>(r11); }
  [[nodiscard]] constexpr std::uint16_t r11w() const { return static_cast<std::uint16_t>(r11); }
  [[nodiscard]] constexpr std::uint8_t r11b() const { return static_cast<std::uint8_t>(r11); }
  [[nodiscard]] constexpr std::uint32_t r12d() const { return static_cast<std::uint32_t>(r12); }
  [[nodiscard]] constexpr std::uint16_t r12w() const { return static_cast<std::uint16_t>(r12); }
  [[nodiscard]] constexpr std::uint8_t r12b() const { return static_cast<std::uint8_t>(r12); }
  [[nodiscard]] constexpr std::uint32_t r13d() const { return static_cast<std::uint32_t>(r13); }
  [[nodiscard]] constexpr std::uint16_t r13w() const { return static_cast<std::uint16_t>(r13); }
  [[nodiscard]] constexpr std::uint8_t r13b() const { return static_cast<std::uint8_t>(r13); }
  [[nodiscard]] constexpr std::uint32_t r14d() const { return static_cast<std::uint32_t>(r14); }
  [[nodiscard]] constexpr std::uint16_t r14w() const { return static_cast<std::uint16_t>(r14); }
  [[nodiscard]] constexpr std::uint8_t r14b() const { return static_cast<std::uint8_t>(r14); }
  [[nodiscard]] constexpr std::uint32_t r15d() const { return static_cast<std::uint32_t>(r15); }
  [[nodiscard]] constexpr std::uint16_t r15w() const { return static_cast<std::uint16_t>(r15); }
  [[nodiscard]] constexpr std::uint8_t r15b() const { return static_cast<std::uint8_t>(r15); }

  /// These change a part and keep the rest of the register.
  constexpr void set_ax(std::uint16_t value) { replace(rax, 0xFFFF, value); }
  constexpr void set_ah(std::uint8_t value) { replace(rax, 0xFF00, std::uint64_t{value} << 8U); }
  constexpr void set_al(std::uint8_t value) { replace(rax, 0xFF, value); }
  constexpr void set_bx(std::uint16_t value) { replace(rbx, 0xFFFF, value); }
  constexpr void set_bh(std::uint8_t value) { replace(rbx, 0xFF00, std::uint64_t{value} << 8U); }
  constexpr void set_bl(std::uint8_t value) { replace(rbx, 0xFF, value); }
  constexpr void set_cx(std::uint16_t value) { replace(rcx, 0xFFFF, value); }
  constexpr void set_ch(std::uint8_t value) { replace(rcx, 0xFF00, std::uint64_t{value} << 8U); }
  constexpr void set_cl(std::uint8_t value) { replace(rcx, 0xFF, value); }
  constexpr void set_dx(std::uint16_t value) { replace(rdx, 0xFFFF, value); }
  constexpr void set_dh(std::uint8_t value) { replace(rdx, 0xFF00, std::uint64_t{value} << 8U); }
  constexpr void set_dl(std::uint8_t value) { replace(rdx, 0xFF, value); }
  constexpr void set_si(std::uint16_t value) { replace(rsi, 0xFFFF, value); }
  constexpr void set_di(std::uint16_t value) { replace(rdi, 0xFFFF, value); }
  constexpr void set_bp(std::uint16_t value) { replace(rbp, 0xFFFF, value); }
  constexpr void set_sp(std::uint16_t value) { replace(rsp, 0xFFFF, value); }

  friend bool operator==(const GeneralRegisters&, const GeneralRegisters&) = default;

 private:
  static constexpr void replace(std::uint64_t& whole, std::uint64_t mask, std::uint64_t part) {
    whole = (whole & ~mask) | part;
  }
};

}  // namespace hltest
