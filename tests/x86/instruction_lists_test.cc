// Each instruction of the lists that decide what an instruction does: its mnemonic, its unit, and
// whether it raises an exception by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using enum Mnemonic;
using Bytes = std::vector<std::uint8_t>;

TEST(InstructionListsTest, RaisedByTheInstructionItself) {
  struct Case {
    Bytes bytes;
    Vector vector;
  };
  const Case raising[] = {{{0x0F, 0xFF, 0xC0}, Vector::kInvalidOpcode},  // ud0 eax, eax
                          {{0x0F, 0xB9, 0xC0}, Vector::kInvalidOpcode},  // ud1 eax, eax
                          {{0x0F, 0x0B}, Vector::kInvalidOpcode},        // ud2
                          {{0x0F, 0x04}, Vector::kInvalidOpcode},        // no instruction
                          {{0xF6, 0xF3}, Vector::kDivideError},          // div bl
                          {{0xF7, 0xFB}, Vector::kDivideError},          // idiv ebx
                          {{0xD4, 0x00}, Vector::kDivideError}};         // aam 0
  for (const Case& each : raising) {
    for (unsigned vector = 0; vector < 32; ++vector) {
      EXPECT_EQ(raises_by_itself(each.bytes, CpuMode::kProtected32, static_cast<Vector>(vector)),
                each.vector == static_cast<Vector>(vector))
          << disassemble_one(each.bytes, Gva{0}, CpuMode::kProtected32).text << ", " << vector;
    }
  }
  EXPECT_FALSE(raises_by_itself({}, CpuMode::kReal16, Vector::kInvalidOpcode)) << "unreadable";
  for (const Bytes& bytes : {Bytes{0x90}, Bytes{0xD5, 0x0A}, Bytes{0xF7, 0xE3}}) {  // nop, aad, mul
    EXPECT_FALSE(raises_by_itself(bytes, CpuMode::kReal16, Vector::kInvalidOpcode));
    EXPECT_FALSE(raises_by_itself(bytes, CpuMode::kReal16, Vector::kDivideError));
  }
}

struct MnemonicCase {
  Bytes bytes;
  CpuMode mode;
  const char* text;  ///< how the disassembly begins
  Mnemonic mnemonic;
};

TEST(InstructionListsTest, MnemonicsOfInstructions) {
  constexpr CpuMode k32 = CpuMode::kProtected32;
  constexpr CpuMode k64 = CpuMode::kLong64;
  const MnemonicCase cases[] = {
      {{0xD4, 0x0A}, k32, "aam", kAam},
      {{0x21, 0xC0}, k32, "and", kAnd},
      {{0x0F, 0xA3, 0xC0}, k32, "bt", kBt},
      {{0xFA}, k32, "cli", kCli},
      {{0x0F, 0x06}, k32, "clts", kClts},
      {{0xF6, 0xF3}, k32, "div", kDiv},
      {{0x0F, 0xAE, 0x08}, k32, "fxrstor", kFxrstor},
      {{0x48, 0x0F, 0xAE, 0x08}, k64, "fxrstor64", kFxrstor64},
      {{0x0F, 0xAE, 0x00}, k32, "fxsave", kFxsave},
      {{0x48, 0x0F, 0xAE, 0x00}, k64, "fxsave64", kFxsave64},
      {{0xF4}, k32, "hlt", kHlt},
      {{0xF6, 0xFB}, k32, "idiv", kIdiv},
      {{0xEC}, k32, "in", kIn},
      {{0x6C}, k32, "insb", kInsb},
      {{0x6D}, k32, "insd", kInsd},
      {{0x66, 0x6D}, k32, "insw", kInsw},
      {{0xCD, 0x80}, k32, "int", kInt},
      {{0xF1}, k32, "int1", kInt1},
      {{0xCC}, k32, "int3", kInt3},
      {{0xCE}, k32, "into", kInto},
      {{0x0F, 0x08}, k32, "invd", kInvd},
      {{0x0F, 0x01, 0x38}, k32, "invlpg", kInvlpg},
      {{0x66, 0xCF}, k32, "iret", kIret},
      {{0xCF}, k32, "iretd", kIretd},
      {{0x48, 0xCF}, k64, "iretq", kIretq},
      {{0xF2, 0x0F, 0xF0, 0x00}, k32, "lddqu", kLddqu},
      {{0xC5, 0x00}, k32, "lds", kLds},
      {{0xC4, 0x00}, k32, "les", kLes},
      {{0x0F, 0xB4, 0x00}, k32, "lfs", kLfs},
      {{0x0F, 0x01, 0x10}, k32, "lgdt", kLgdt},
      {{0x0F, 0xB5, 0x00}, k32, "lgs", kLgs},
      {{0x0F, 0x01, 0x18}, k32, "lidt", kLidt},
      {{0x0F, 0x00, 0xD0}, k32, "lldt", kLldt},
      {{0x0F, 0x01, 0xF0}, k32, "lmsw", kLmsw},
      {{0x0F, 0xB2, 0x00}, k32, "lss", kLss},
      {{0x0F, 0x00, 0xD8}, k32, "ltr", kLtr},
      {{0x89, 0xC0}, k32, "mov", kMov},
      {{0xF3, 0x0F, 0x6F, 0x00}, k32, "movdqu", kMovdqu},
      {{0x66, 0x0F, 0x10, 0x00}, k32, "movupd", kMovupd},
      {{0x0F, 0x10, 0x00}, k32, "movups", kMovups},
      {{0xEE}, k32, "out", kOut},
      {{0x6E}, k32, "outsb", kOutsb},
      {{0x6F}, k32, "outsd", kOutsd},
      {{0x66, 0x6F}, k32, "outsw", kOutsw},
      {{0x66, 0x0F, 0x3A, 0x61, 0x00, 0x00}, k32, "pcmpestri", kPcmpestri},
      {{0x66, 0x0F, 0x3A, 0x60, 0x00, 0x00}, k32, "pcmpestrm", kPcmpestrm},
      {{0x66, 0x0F, 0x3A, 0x63, 0x00, 0x00}, k32, "pcmpistri", kPcmpistri},
      {{0x66, 0x0F, 0x3A, 0x62, 0x00, 0x00}, k32, "pcmpistrm", kPcmpistrm},
      {{0x0F, 0x32}, k32, "rdmsr", kRdmsr},
      {{0xFB}, k32, "sti", kSti},
      {{0x0F, 0x01, 0xF8}, k64, "swapgs", kSwapgs},
      {{0x0F, 0x05}, k64, "syscall", kSyscall},
      {{0x0F, 0x35}, k32, "sysexit", kSysexit},
      {{0x0F, 0x07}, k64, "sysret", kSysret},
      {{0x85, 0xC0}, k32, "test", kTest},
      {{0x0F, 0xFF, 0xC0}, k32, "ud0", kUd0},
      {{0x0F, 0xB9, 0xC0}, k32, "ud1", kUd1},
      {{0x0F, 0x0B}, k32, "ud2", kUd2},
      {{0xC5, 0xF9, 0x28, 0x00}, k64, "vmovapd", kVmovapd},
      {{0xC5, 0xF8, 0x28, 0x00}, k64, "vmovaps", kVmovaps},
      {{0xC5, 0xF9, 0x6F, 0x00}, k64, "vmovdqa", kVmovdqa},
      {{0xC5, 0xF9, 0xE7, 0x00}, k64, "vmovntdq", kVmovntdq},
      {{0xC4, 0xE2, 0x79, 0x2A, 0x00}, k64, "vmovntdqa", kVmovntdqa},
      {{0xC5, 0xF9, 0x2B, 0x00}, k64, "vmovntpd", kVmovntpd},
      {{0xC5, 0xF8, 0x2B, 0x00}, k64, "vmovntps", kVmovntps},
      {{0x0F, 0x09}, k32, "wbinvd", kWbinvd},
      {{0x0F, 0x30}, k32, "wrmsr", kWrmsr},
      {{0x0F, 0x01, 0xD1}, k32, "xsetbv", kXsetbv},
      {{0x40}, k32, "inc", kOther},
  };
  for (const MnemonicCase& each : cases) {
    const Instruction one = disassemble_one(each.bytes, Gva{0}, each.mode);
    EXPECT_EQ(one.text.substr(0, one.text.find(' ')), each.text);
    EXPECT_EQ(one.mnemonic, each.mnemonic) << each.text;
  }
}

TEST(InstructionListsTest, UnitsOfInstructions) {
  using Unit = DecodedInstruction::Unit;
  struct Case {
    Bytes bytes;
    Unit unit;
  };
  const Case cases[] = {{{0x90}, Unit::kInteger},
                        {{0xD9, 0xE8}, Unit::kX87},                    // fld1
                        {{0x0F, 0xEF, 0xC0}, Unit::kMmx},              // pxor mm0, mm0
                        {{0x0F, 0x58, 0xC0}, Unit::kSse},              // addps: SSE
                        {{0x66, 0x0F, 0xEF, 0xC0}, Unit::kSse},        // pxor xmm0: SSE2
                        {{0xF2, 0x0F, 0xF0, 0x00}, Unit::kSse},        // lddqu: SSE3
                        {{0x66, 0x0F, 0x38, 0x00, 0xC0}, Unit::kSse},  // pshufb: SSSE3
                        {{0x66, 0x0F, 0x38, 0x17, 0xC0}, Unit::kSse},  // ptest: SSE4
                        {{0xC5, 0xF8, 0x58, 0xC0}, Unit::kAvx},        // vaddps: AVX
                        {{0xC5, 0xFD, 0xFE, 0xC0}, Unit::kAvx},        // vpaddd ymm0: AVX2
                        {{0xC4, 0xE2, 0x79, 0x98, 0xC0}, Unit::kAvx},  // vfmadd132ps: FMA
                        {{0x0F, 0xAE, 0x20}, Unit::kXsave},            // xsave
                        {{0x0F, 0xC7, 0x20}, Unit::kXsave},            // xsavec
                        {{0x0F, 0xAE, 0x30}, Unit::kXsave},            // xsaveopt
                        {{0x0F, 0xC7, 0x28}, Unit::kXsave}};           // xsaves
  Registers registers;
  registers.cr0.value = Cr0::kPe;
  registers.efer.value = Efer::kLma;
  registers.cs = Segment::code64(8);
  for (const Case& each : cases) {
    const auto decoded = decode_instruction(each.bytes, registers);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->unit, each.unit) << decoded->text;
  }
}

}  // namespace
