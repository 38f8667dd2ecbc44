// The values of operands: each register by its name, each part of it, and the address that each
// register leads to.
#include <gtest/gtest.h>
#include "x86/code/decoded_instruction.h"

#include <array>

namespace {

using namespace hltest;
using namespace hltest::internal;
using Bytes = std::vector<std::uint8_t>;

// In the order of their encodings.
constexpr std::array<std::uint64_t GeneralRegisters::*, 16> kOrder = {
    &GeneralRegisters::rax, &GeneralRegisters::rcx, &GeneralRegisters::rdx, &GeneralRegisters::rbx,
    &GeneralRegisters::rsp, &GeneralRegisters::rbp, &GeneralRegisters::rsi, &GeneralRegisters::rdi,
    &GeneralRegisters::r8,  &GeneralRegisters::r9,  &GeneralRegisters::r10, &GeneralRegisters::r11,
    &GeneralRegisters::r12, &GeneralRegisters::r13, &GeneralRegisters::r14, &GeneralRegisters::r15};

// 64-bit code whose general register N is 11223344AABBCC00h + 11h * N.
Registers in_64_bit_code() {
  Registers registers;
  registers.cr0.value = Cr0::kPe;
  registers.efer.value = Efer::kLma;
  registers.cs = Segment::code64(8);
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    registers.*kOrder.at(i) = 0x1122'3344'AABB'CC00 + 0x11 * i;
  }
  return registers;
}

Operand second_operand(const Bytes& bytes, const Registers& registers) {
  const auto decoded = decode_instruction(bytes, registers);
  EXPECT_TRUE(decoded.has_value() && decoded->operands.size() > 1);
  return decoded->operands.at(1);
}

TEST(OperandValuesTest, EachGeneralRegisterInEachSize) {
  const Registers registers = in_64_bit_code();
  for (unsigned i = 0; i < 16; ++i) {
    const auto rex = static_cast<std::uint8_t>(0x40 | (i >= 8 ? 4U : 0U));
    const auto modrm = static_cast<std::uint8_t>(0xC0 | (i % 8) << 3U);
    const std::uint64_t value = registers.*kOrder.at(i);
    // mov rax, REG; mov eax, REG; mov ax, REG; mov al, REG
    const auto rex_w = static_cast<std::uint8_t>(rex | 8U);
    EXPECT_EQ(second_operand({rex_w, 0x89, modrm}, registers).value, value) << i;
    EXPECT_EQ(second_operand({rex, 0x89, modrm}, registers).value, value & 0xFFFF'FFFF) << i;
    EXPECT_EQ(second_operand({0x66, rex, 0x89, modrm}, registers).value, value & 0xFFFF) << i;
    EXPECT_EQ(second_operand({rex, 0x88, modrm}, registers).value, value & 0xFF) << i;
  }
}

TEST(OperandValuesTest, TheHighBytesOfFourRegisters) {
  Registers registers = in_64_bit_code();
  for (unsigned i = 0; i < 4; ++i) {
    registers.*kOrder.at(i) = 0xA000 + 0x100 * i;
    const auto modrm = static_cast<std::uint8_t>(0xC0 | (i + 4) << 3U);  // mov al, AH ... BH
    EXPECT_EQ(second_operand({0x88, modrm}, registers).value, 0xA0 + i);
  }
}

TEST(OperandValuesTest, ControlRegisters) {
  Registers registers = in_64_bit_code();
  registers.cr2 = Gva{0x2222};
  registers.cr3.value = 0x3000;
  registers.cr4.value = 0x4040;
  registers.cr8 = 8;
  // mov rax, CRn
  EXPECT_EQ(second_operand({0x0F, 0x20, 0xC0}, registers).value, registers.cr0.value);
  EXPECT_EQ(second_operand({0x0F, 0x20, 0xD0}, registers).value, 0x2222U);
  EXPECT_EQ(second_operand({0x0F, 0x20, 0xD8}, registers).value, 0x3000U);
  EXPECT_EQ(second_operand({0x0F, 0x20, 0xE0}, registers).value, 0x4040U);
  EXPECT_EQ(second_operand({0x44, 0x0F, 0x20, 0xC0}, registers).value, 8U);
}

TEST(OperandValuesTest, SegmentRegistersAreTheirSelectors) {
  Registers registers = in_64_bit_code();
  Segment* const segments[] = {&registers.es, &registers.cs, &registers.ss,
                               &registers.ds, &registers.fs, &registers.gs};
  for (unsigned i = 0; i < 6; ++i) segments[i]->selector = static_cast<std::uint16_t>(0x50 + 8 * i);
  for (unsigned i = 0; i < 6; ++i) {
    const auto modrm = static_cast<std::uint8_t>(0xC0 | i << 3U);  // mov eax, SEG
    EXPECT_EQ(second_operand({0x8C, modrm}, registers).value, 0x50 + 8 * i);
  }
}

TEST(OperandValuesTest, AddressesByEachRegister) {
  const Registers registers = in_64_bit_code();
  for (unsigned i = 0; i < 16; ++i) {
    const auto rex = static_cast<std::uint8_t>(i >= 8 ? 0x41 : 0x40);
    const auto modrm = static_cast<std::uint8_t>(0x40 | i % 8);
    // mov al, [REG + 8]; RSP and R12 need a SIB byte
    const Bytes bytes = i % 8 == 4 ? Bytes{rex, 0x8A, 0x44, 0x24, 8} : Bytes{rex, 0x8A, modrm, 8};
    EXPECT_EQ(second_operand(bytes, registers).linear, Gva{registers.*kOrder.at(i) + 8}) << i;
    Bytes of_32_bits = bytes;
    of_32_bits.insert(of_32_bits.begin(), 0x67);  // mov al, [EREG + 8]
    EXPECT_EQ(second_operand(of_32_bits, registers).linear,
              Gva{(registers.*kOrder.at(i) + 8) & 0xFFFF'FFFF})
        << i;
  }
}

TEST(OperandValuesTest, AddressesRelativeToRip) {
  Registers registers = in_64_bit_code();
  registers.rip = 0x1000;
  EXPECT_EQ(second_operand({0x8A, 0x05, 0x10, 0, 0, 0}, registers).linear, Gva{0x1016});
}

TEST(OperandValuesTest, BasesOfSegmentsIn64BitCodeAreThoseOfFsAndGs) {
  Registers registers = in_64_bit_code();
  registers.set_all_segments(Segment{.base = Gva{0x10'0000}});
  registers.cs.l = true;
  registers.rax = 0x20;
  const auto linear = [&](std::uint8_t prefix) {
    return second_operand({prefix, 0x8A, 0x00}, registers).linear;
  };
  EXPECT_EQ(linear(0x64), Gva{0x10'0020}) << "FS";
  EXPECT_EQ(linear(0x65), Gva{0x10'0020}) << "GS";
  EXPECT_EQ(linear(0x26), Gva{0x20}) << "ES";
  EXPECT_EQ(linear(0x3E), Gva{0x20}) << "DS";
  registers.efer.value = 0;
  registers.cs.l = false;
  registers.cs.db = true;
  EXPECT_EQ(linear(0x26), Gva{0x10'0020}) << "in 32-bit code each counts";
  registers.es.base = Gva{0xFFFF'FFF0};
  EXPECT_EQ(linear(0x26), Gva{0x10}) << "and wraps at 4 GiB";
}

}  // namespace
