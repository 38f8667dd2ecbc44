// Every name and number of the lists about registers, vectors, MSRs, flags and error codes, and the
// largest value that each register takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/error.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/cpuid.h>
#include <hltest/x86/msr.h>
#include <hltest/x86/register_name.h>
#include <hltest/x86/vector.h>
#include <hltest/x86/xstate.h>

#include <stdexcept>

#include "../message_of.h"
#include "x86/registers/contradiction.h"
#include "x86/registers/error_code.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using ::testing::HasSubstr;

// SDM vol. 3, table 6-1.
TEST(RegisterListsTest, VectorsHaveNamesAndDescriptions) {
  struct Row {
    unsigned vector;
    const char* mnemonic;
    const char* description;
  };
  constexpr Row kRows[] = {{0, "#DE", "divide error"},
                           {1, "#DB", "debug"},
                           {2, "NMI", "non-maskable interrupt"},
                           {3, "#BP", "breakpoint"},
                           {4, "#OF", "overflow"},
                           {5, "#BR", "BOUND range exceeded"},
                           {6, "#UD", "invalid opcode"},
                           {7, "#NM", "device not available"},
                           {8, "#DF", "double fault"},
                           {9, "vector 0x09", "interrupt"},
                           {10, "#TS", "invalid TSS"},
                           {11, "#NP", "segment not present"},
                           {12, "#SS", "stack-segment fault"},
                           {13, "#GP", "general protection"},
                           {14, "#PF", "page fault"},
                           {15, "vector 0x0f", "interrupt"},
                           {16, "#MF", "x87 floating-point error"},
                           {17, "#AC", "alignment check"},
                           {18, "#MC", "machine check"},
                           {19, "#XM", "SIMD floating-point exception"},
                           {20, "#VE", "virtualization exception"},
                           {21, "#CP", "control protection"},
                           {22, "vector 0x16", "interrupt"},
                           {255, "vector 0xff", "interrupt"}};
  for (const Row& row : kRows) {
    EXPECT_EQ(mnemonic(static_cast<Vector>(row.vector)), row.mnemonic);
    EXPECT_EQ(description(static_cast<Vector>(row.vector)), row.description) << row.mnemonic;
  }
}

// SDM vol. 4, table 2-2.
TEST(RegisterListsTest, MsrsHaveNames) {
  constexpr std::pair<std::uint32_t, const char*> kNames[] = {{0x10, "IA32_TIME_STAMP_COUNTER"},
                                                              {0x1B, "IA32_APIC_BASE"},
                                                              {0x174, "IA32_SYSENTER_CS"},
                                                              {0x175, "IA32_SYSENTER_ESP"},
                                                              {0x176, "IA32_SYSENTER_EIP"},
                                                              {0x1A0, "IA32_MISC_ENABLE"},
                                                              {0x277, "IA32_PAT"},
                                                              {0xC000'0080, "IA32_EFER"},
                                                              {0xC000'0081, "IA32_STAR"},
                                                              {0xC000'0082, "IA32_LSTAR"},
                                                              {0xC000'0083, "IA32_CSTAR"},
                                                              {0xC000'0084, "IA32_FMASK"},
                                                              {0xC000'0100, "IA32_FS_BASE"},
                                                              {0xC000'0101, "IA32_GS_BASE"},
                                                              {0xC000'0102, "IA32_KERNEL_GS_BASE"},
                                                              {0xC000'0103, "IA32_TSC_AUX"},
                                                              {0xC000'0104, "MSR 0xc0000104"}};
  for (const auto& [msr, name] : kNames) EXPECT_EQ(to_string(static_cast<Msr>(msr)), name);
}

TEST(RegisterListsTest, FlagsHaveNames) {
  constexpr std::pair<unsigned, const char*> kNames[] = {
      {0, "CF"},  {1, ""},    {2, "PF"},  {4, "AF"},  {6, "ZF"},  {7, "SF"},  {8, "TF"}, {9, "IF"},
      {10, "DF"}, {11, "OF"}, {14, "NT"}, {16, "RF"}, {17, "VM"}, {18, "AC"}, {19, ""}};
  for (const auto& [bit, name] : kNames) EXPECT_EQ(to_string(Rflags{1ULL << bit}), name) << bit;
}

TEST(RegisterListsTest, ErrorCodesInWords) {
  constexpr Vector kGp = Vector::kGeneralProtection;
  constexpr Vector kPf = Vector::kPageFault;
  EXPECT_EQ(describe_error_code(kPf, 0), "read, supervisor, not present");
  EXPECT_EQ(describe_error_code(kPf, 1), "read, supervisor, not allowed");
  EXPECT_EQ(describe_error_code(kPf, 2), "write, supervisor, not present");
  EXPECT_EQ(describe_error_code(kPf, 4), "read, user, not present");
  EXPECT_EQ(describe_error_code(kPf, 9), "read, supervisor, not allowed, reserved bit");
  EXPECT_EQ(describe_error_code(kPf, 16), "fetch, supervisor, not present");
  for (const Vector vector :
       {Vector::kInvalidTss, Vector::kSegmentNotPresent, Vector::kStackFault, kGp}) {
    EXPECT_EQ(describe_error_code(vector, 0x80), "GDT selector 0x80");
  }
  EXPECT_EQ(describe_error_code(kGp, 0), "");
  EXPECT_EQ(describe_error_code(kGp, 1), "external event");
  EXPECT_EQ(describe_error_code(kGp, 0x84), "LDT selector 0x84");
  EXPECT_EQ(describe_error_code(kGp, 0x81), "GDT selector 0x80, external event");
  EXPECT_EQ(describe_error_code(kGp, 0x10A), "gate for vector 0x21");
  EXPECT_EQ(describe_error_code(kGp, 0x10B), "gate for vector 0x21, external event");
  EXPECT_EQ(describe_error_code(kGp, 0x7FA), "gate for vector 0xff");
  EXPECT_EQ(describe_error_code(Vector::kDoubleFault, 0x80), "");
  EXPECT_EQ(describe_error_code(Vector::kAlignmentCheck, 0x80), "");
}

struct WidthCase {
  const char* name;
  CpuMode mode;
  unsigned bits;
};

TEST(RegisterListsTest, EachNameTakesTheLargestValueOfItsBits) {
  constexpr CpuMode k16 = CpuMode::kReal16;
  constexpr CpuMode k64 = CpuMode::kLong64;
  constexpr WidthCase kCases[] = {
      {"al", k16, 8},      {"bl", k16, 8},   {"cl", k16, 8},     {"dl", k16, 8},
      {"ah", k16, 8},      {"bh", k16, 8},   {"ch", k16, 8},     {"dh", k16, 8},
      {"sil", k64, 8},     {"dil", k64, 8},  {"spl", k64, 8},    {"bpl", k64, 8},
      {"r8b", k64, 8},     {"ax", k16, 16},  {"sp", k16, 16},    {"r15w", k64, 16},
      {"eax", k16, 32},    {"r9d", k64, 32}, {"rax", k16, 32},   {"ip", k16, 16},
      {"eip", k16, 32},    {"rip", k16, 32}, {"flags", k16, 16}, {"eflags", k64, 32},
      {"rflags", k16, 32}, {"IP", k64, 16},  {"EIP", k64, 32},   {"FLAGS", k64, 16}};
  for (const auto& [name, mode, bits] : kCases) {
    SCOPED_TRACE(name);
    Registers registers;
    EXPECT_NO_THROW(set_register(registers, name, (1ULL << bits) - 1, mode));
    EXPECT_THROW(set_register(registers, name, 1ULL << bits, mode), RegisterError);
  }
  for (const char* const name :
       {"rax", "r15", "rip", "rflags", "cr0", "cr2", "cr3", "cr4", "cr8", "efer"}) {
    Registers registers;
    EXPECT_NO_THROW(set_register(registers, name, ~0ULL, k64)) << name;
  }
}

TEST(RegisterListsTest, EveryPartOfEveryGeneralRegisterReachesItsBits) {
  constexpr const char* kNames[][5] = {
      {"rax", "eax", "ax", "al", "ah"},         {"rbx", "ebx", "bx", "bl", "bh"},
      {"rcx", "ecx", "cx", "cl", "ch"},         {"rdx", "edx", "dx", "dl", "dh"},
      {"rsi", "esi", "si", "sil", nullptr},     {"rdi", "edi", "di", "dil", nullptr},
      {"rsp", "esp", "sp", "spl", nullptr},     {"rbp", "ebp", "bp", "bpl", nullptr},
      {"r8", "r8d", "r8w", "r8b", nullptr},     {"r9", "r9d", "r9w", "r9b", nullptr},
      {"r10", "r10d", "r10w", "r10b", nullptr}, {"r11", "r11d", "r11w", "r11b", nullptr},
      {"r12", "r12d", "r12w", "r12b", nullptr}, {"r13", "r13d", "r13w", "r13b", nullptr},
      {"r14", "r14d", "r14w", "r14b", nullptr}, {"r15", "r15d", "r15w", "r15b", nullptr}};
  constexpr std::uint64_t kLeft[] = {0x11, 0x11, 0x2222'2222'2222'0011, 0x2222'2222'2222'2211,
                                     0x2222'2222'2222'1122};
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t part = 0; part < 5 && kNames[row][part] != nullptr; ++part) {
      Registers registers;
      set_register(registers, kNames[row][0], 0x2222'2222'2222'2222, CpuMode::kLong64);
      set_register(registers, kNames[row][part], 0x11, CpuMode::kLong64);
      EXPECT_EQ(named_values(registers).at(row).name, kNames[row][0]);
      EXPECT_EQ(named_values(registers).at(row).value, kLeft[part]) << kNames[row][part];
    }
  }
}

TEST(RegisterListsTest, OnlyR8ToR15AreOf64BitCode) {
  for (const char* const name : {"r8", "r9", "r10", "r15", "r8d", "r8w", "r8b", "r15b"}) {
    Registers registers;
    EXPECT_THAT(
        message_of<RegisterError>([&] { set_register(registers, name, 1, CpuMode::kProtected32); }),
        HasSubstr(std::string{"code has no "} + name));
  }
}

TEST(RegisterListsTest, EachBaseThatHoldsAnAddressIsCanonical) {
  constexpr Gva kBad{1ULL << 47U};
  const auto contradiction = [](const auto& change) {
    Registers registers;
    registers.cr0.value = Cr0::kPe | Cr0::kPg;
    registers.cr4.value = Cr4::kPae;
    registers.efer.value = Efer::kLme | Efer::kLma;
    change(registers);
    return contradiction_of(registers);
  };
  constexpr const char* kEnd = " is 0x800000000000, which is not canonical";
  const std::string end = kEnd;
  EXPECT_EQ(contradiction([=](Registers& r) { r.fs.base = kBad; }), "FS.base" + end);
  EXPECT_EQ(contradiction([=](Registers& r) { r.gs.base = kBad; }), "GS.base" + end);
  EXPECT_EQ(contradiction([=](Registers& r) { r.tr.base = kBad; }), "TR.base" + end);
  EXPECT_EQ(contradiction([=](Registers& r) { r.gdt.base = kBad; }), "GDTR.base" + end);
  EXPECT_EQ(contradiction([=](Registers& r) { r.idt.base = kBad; }), "IDTR.base" + end);
  EXPECT_EQ(contradiction([=](Registers& r) { r.gs.base = kBad - 1; }), "");
}

}  // namespace
