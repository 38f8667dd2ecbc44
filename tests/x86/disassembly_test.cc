#include "x86/code/disassembly.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "x86/code/decoded_instruction.h"

#include <random>

namespace {

using namespace hltest;
using namespace hltest::internal;

std::string text(std::vector<std::uint8_t> bytes, CpuMode mode) {
  return disassemble_one(bytes, Gva{0x1000}, mode).text;
}

TEST(DisassemblyTest, DecodesInTheModeItRanIn) {
  const std::vector<std::uint8_t> bytes = {0xB8, 0x34, 0x12, 0x00, 0x00};
  EXPECT_EQ(text(bytes, CpuMode::kReal16), "mov ax, 0x1234");
  EXPECT_EQ(text(bytes, CpuMode::kProtected32), "mov eax, 0x1234");
  EXPECT_EQ(text({0x48, 0xFF, 0xC0}, CpuMode::kLong64), "inc rax");
  EXPECT_EQ(text({0x48, 0xFF, 0xC0}, CpuMode::kProtected32), "dec eax");
  EXPECT_EQ(text({0x48, 0xFF, 0xC0}, CpuMode::kCompatibility32), "dec eax");
  EXPECT_EQ(text({0x48, 0xFF, 0xC0}, CpuMode::kProtected16), "dec ax");
  EXPECT_EQ(text({0xEB, 0xFE}, CpuMode::kReal16), "jmp 0x1000");
  EXPECT_EQ(text({0x0F, 0xFF}, CpuMode::kVirtual8086), "db 0x0f") << "not an instruction";
}

TEST(DisassemblyTest, TellsInstructionsByTheirMnemonic) {
  const auto mnemonic = [](std::vector<std::uint8_t> bytes) {
    const Instruction one = disassemble_one(bytes, Gva{0}, CpuMode::kProtected32);
    EXPECT_TRUE(one.is_valid);
    Registers registers;
    registers.cr0.value = Cr0::kPe;
    registers.cs = Segment::flat_code32(8);
    const auto decoded = decode_instruction(bytes, registers);
    EXPECT_EQ(decoded.value().mnemonic, one.mnemonic);
    return one.mnemonic;
  };
  EXPECT_EQ(mnemonic({0xF4}), Mnemonic::kHlt);
  EXPECT_EQ(mnemonic({0xF3, 0xF4}), Mnemonic::kHlt) << "whatever its prefixes";
  EXPECT_EQ(mnemonic({0xC3}), Mnemonic::kRet);
  EXPECT_EQ(mnemonic({0xCB}), Mnemonic::kRetFar);
  EXPECT_EQ(mnemonic({0xCA, 8, 0}), Mnemonic::kRetFar);
  EXPECT_EQ(mnemonic({0xE8, 0, 0, 0, 0}), Mnemonic::kCall);
  EXPECT_EQ(mnemonic({0x9A, 0, 0, 0, 0, 8, 0}), Mnemonic::kCallFar);
  EXPECT_EQ(mnemonic({0xEB, 0}), Mnemonic::kJmp);
  EXPECT_EQ(mnemonic({0xFF, 0x2B}), Mnemonic::kJmpFar);
  EXPECT_EQ(mnemonic({0xCC}), Mnemonic::kInt3);
  EXPECT_EQ(mnemonic({0xCD, 3}), Mnemonic::kInt);
  EXPECT_EQ(mnemonic({0x90}), Mnemonic::kOther);

  const std::vector<std::uint8_t> none = {0x0F, 0xFF};
  const Instruction byte = disassemble_one(none, Gva{0}, CpuMode::kProtected32);
  EXPECT_FALSE(byte.is_valid);
  EXPECT_FALSE(byte.is(Mnemonic::kHlt, Mnemonic::kInt));
  EXPECT_TRUE(byte.is(Mnemonic::kInt, Mnemonic::kOther));
}

// As a source has them: Zydis writes a scale of 1 too.
TEST(DisassemblyTest, WritesAddressesAsASource) {
  EXPECT_EQ(text({0x8A, 0x00}, CpuMode::kReal16), "mov al, [bx+si]");
  EXPECT_EQ(text({0x8A, 0x04, 0x18}, CpuMode::kProtected32), "mov al, [eax+ebx]");
  EXPECT_EQ(text({0x8A, 0x44, 0x58, 0x08}, CpuMode::kProtected32), "mov al, [eax+ebx*2+0x8]");
}

TEST(DisassemblyTest, KnowsTheVectorThatAnInstructionAsksFor) {
  const auto vector = [](std::vector<std::uint8_t> bytes) {
    Registers registers;
    registers.cr0.value = Cr0::kPe;
    registers.cs = Segment::flat_code32(8);
    return software_vector(decode_instruction(bytes, registers).value());
  };
  EXPECT_EQ(vector({0xCD, 0x80}), Vector{0x80});
  EXPECT_EQ(vector({0xCC}), Vector::kBreakpoint);
  EXPECT_EQ(vector({0xCE}), Vector::kOverflow);
  EXPECT_EQ(vector({0xF1}), Vector::kDebug);
  EXPECT_EQ(vector({0x6A, 0x21}), std::nullopt) << "push 0x21";
}

TEST(DisassemblyTest, KnowsOperandSizes) {
  const auto size = [](std::vector<std::uint8_t> bytes, bool is_64_bit) {
    Registers registers;
    registers.cr0.value = Cr0::kPe;
    registers.efer.value = is_64_bit ? Efer::kLma : 0;
    registers.cs = is_64_bit ? Segment::code64(8) : Segment::flat_code32(8);
    return decode_instruction(bytes, registers).value().operand_size;
  };
  EXPECT_EQ(size({0xCB}, false), 4U);
  EXPECT_EQ(size({0x66, 0xCB}, false), 2U);
  EXPECT_EQ(size({0xCB}, true), 4U) << "a far return in 64-bit code pops 4 bytes without REX.W";
  EXPECT_EQ(size({0x48, 0xCB}, true), 8U);
  EXPECT_EQ(size({0x48, 0xCF}, true), 8U);
}

TEST(DisassemblyTest, ShowsTheInstructionsAround) {
  // mov ax, 0x1234; nop; nop; hlt; nop
  const std::vector<std::uint8_t> code = {0xB8, 0x34, 0x12, 0x90, 0x90, 0xF4, 0x90};
  const auto instructions =
      disassemble_around(code, Gva{0x1000}, true, Gva{0x1005}, CpuMode::kReal16, 2, 5);
  std::vector<std::string> texts;
  for (const Instruction& instruction : instructions) texts.push_back(instruction.text);
  EXPECT_THAT(texts, ::testing::ElementsAre("nop", "nop", "hlt", "nop"));
  EXPECT_EQ(instructions[2].address, Gva{0x1005});
}

TEST(DisassemblyTest, FallsInStepWhereTheStartIsNotKnown) {
  // The tail of a mov, then whole instructions.
  const std::vector<std::uint8_t> code = {0x12, 0x90, 0x90, 0x90, 0x90, 0x90, 0xF4};
  const auto instructions =
      disassemble_around(code, Gva{0x1002}, false, Gva{0x1008}, CpuMode::kReal16, 4, 0);
  ASSERT_FALSE(instructions.empty());
  EXPECT_EQ(instructions.back().text, "hlt");
  EXPECT_EQ(instructions[instructions.size() - 2].address, Gva{0x1007});
}

TEST(DisassemblyTest, OutsideTheCodeThereIsNothing) {
  const std::vector<std::uint8_t> code = {0x90};
  EXPECT_TRUE(
      disassemble_around(code, Gva{0x1000}, true, Gva{0x1001}, CpuMode::kReal16, 2, 2).empty());
  EXPECT_TRUE(
      disassemble_around(code, Gva{0x1000}, true, Gva{0xFFF}, CpuMode::kReal16, 2, 2).empty());
}

// A mov that reaches over RIP ends at the last address that there is.
TEST(DisassemblyTest, CodeReachesToTheLastAddress) {
  const std::vector<std::uint8_t> code = {0x90, 0xB8, 0x34, 0x12};
  const Gva start{0xFFFF'FFFF'FFFF'FFFC};
  for (const bool aligned : {true, false}) {
    const auto instructions =
        disassemble_around(code, start, aligned, start + 2, CpuMode::kReal16, 4, 4);
    ASSERT_EQ(instructions.size(), 1U);
    EXPECT_EQ(instructions.front().address, start + 2);
    EXPECT_EQ(instructions.front().text, "xor al, 0x12");
  }
}

TEST(DisassemblyTest, SurvivesAnyBytes) {
  std::mt19937 random{1};
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::uint8_t> code(1 + random() % 40);
    for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random());
    const auto mode = static_cast<CpuMode>(round % 7);
    const Gva rip{0x1000 + random() % code.size()};
    for (const Instruction& instruction :
         disassemble_around(code, Gva{0x1000}, round % 2 == 0, rip, mode, 4, 4)) {
      EXPECT_FALSE(instruction.text.empty());
      EXPECT_FALSE(instruction.bytes.empty());
    }
  }
}

}  // namespace
