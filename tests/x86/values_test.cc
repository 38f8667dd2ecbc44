// Addresses, registers and their names: values and arithmetic, without KVM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/paging_mode.h>
#include <hltest/x86/register_name.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

#include <algorithm>
#include <concepts>
#include <sstream>
#include <type_traits>

namespace {

using namespace hltest;

TEST(AddressTest, ArithmeticAndText) {
  constexpr Gpa kAddress{0x1FFF};
  static_assert(kAddress + 1 == Gpa{0x2000});
  static_assert(Gpa{0x2000} - kAddress == 1);
  static_assert(Gpa{0x2000} - 0x1000 == Gpa{0x1000});
  static_assert(Gpa{0x2000}.is_aligned(0x1000) && !kAddress.is_aligned(2));
  static_assert(Gpa{1} < Gpa{2});
  EXPECT_EQ(to_string(kAddress), "0x1fff");
  std::ostringstream stream;
  stream << Gva{0xFFFF'8000'0000'0000};
  EXPECT_EQ(stream.str(), "0xffff800000000000");
}

TEST(AddressTest, SpacesDoNotMix) {
  static_assert(!std::convertible_to<Gpa, Gva>);
  static_assert(!std::convertible_to<std::uint64_t, Gpa>);
  static_assert(!std::equality_comparable_with<Gpa, Gva>);
}

TEST(AddressTest, Canonical) {
  for (const PagingMode mode : {PagingMode::k4Level, PagingMode::k5Level}) {
    const PagingFormat format = paging_format(mode);
    const std::uint64_t sign = 1ULL << (format.linear_bits - 1);
    EXPECT_TRUE(is_valid_linear_address(mode, Gva{sign - 1}));
    EXPECT_FALSE(is_valid_linear_address(mode, Gva{sign}));
    EXPECT_FALSE(is_valid_linear_address(mode, Gva{~sign}));
    EXPECT_TRUE(is_valid_linear_address(mode, Gva{~0ULL - sign + 1}));
    EXPECT_EQ(format.canonical(sign - 1), Gva{sign - 1});
    EXPECT_EQ(format.canonical(sign), Gva{~0ULL - sign + 1});
    EXPECT_EQ(format.canonical(2 * sign + 5), Gva{5}) << "the upper bits are not looked at";
  }
  EXPECT_TRUE(is_valid_linear_address(PagingMode::k32Bit, Gva{0xFFFF'FFFF}));
  EXPECT_FALSE(is_valid_linear_address(PagingMode::k32Bit, Gva{0x1'0000'0000}));
  EXPECT_EQ(paging_format(PagingMode::kPae).canonical(0x1'8000'0000), Gva{0x8000'0000});
}

TEST(RegistersTest, PartsHaveTheSdmsNames) {
  GeneralRegisters registers;
  registers.rax = registers.rbx = registers.rcx = registers.rdx = 0x1122334455667788;
  registers.rsi = registers.rdi = registers.rbp = registers.rsp = 0x99AABBCCDDEEFF00;
  registers.r8 = registers.r9 = registers.r10 = registers.r11 = 0x0102030405060708;
  registers.r12 = registers.r13 = registers.r14 = registers.r15 = 0x1112131415161718;
  for (const auto eax : {registers.eax(), registers.ebx(), registers.ecx(), registers.edx()}) {
    EXPECT_EQ(eax, 0x55667788U);
  }
  for (const auto ax : {registers.ax(), registers.bx(), registers.cx(), registers.dx()}) {
    EXPECT_EQ(ax, 0x7788);
  }
  for (const auto ah : {registers.ah(), registers.bh(), registers.ch(), registers.dh()}) {
    EXPECT_EQ(ah, 0x77);
  }
  for (const auto al : {registers.al(), registers.bl(), registers.cl(), registers.dl()}) {
    EXPECT_EQ(al, 0x88);
  }
  for (const auto esi : {registers.esi(), registers.edi(), registers.ebp(), registers.esp()}) {
    EXPECT_EQ(esi, 0xDDEEFF00U);
  }
  for (const auto si : {registers.si(), registers.di(), registers.bp(), registers.sp()}) {
    EXPECT_EQ(si, 0xFF00);
  }
  for (const auto sil : {registers.sil(), registers.dil(), registers.bpl(), registers.spl()}) {
    EXPECT_EQ(sil, 0x00);
  }
  for (const auto r8d : {registers.r8d(), registers.r9d(), registers.r10d(), registers.r11d()}) {
    EXPECT_EQ(r8d, 0x05060708U);
  }
  for (const auto r8w : {registers.r8w(), registers.r9w(), registers.r10w(), registers.r11w()}) {
    EXPECT_EQ(r8w, 0x0708);
  }
  for (const auto r8b : {registers.r8b(), registers.r9b(), registers.r10b(), registers.r11b()}) {
    EXPECT_EQ(r8b, 0x08);
  }
  for (const auto r12d : {registers.r12d(), registers.r13d(), registers.r14d(), registers.r15d()}) {
    EXPECT_EQ(r12d, 0x15161718U);
  }
  for (const auto r12w : {registers.r12w(), registers.r13w(), registers.r14w(), registers.r15w()}) {
    EXPECT_EQ(r12w, 0x1718);
  }
  for (const auto r12b : {registers.r12b(), registers.r13b(), registers.r14b(), registers.r15b()}) {
    EXPECT_EQ(r12b, 0x18);
  }
}

TEST(RegistersTest, FlagsByName) {
  const Rflags none;
  EXPECT_EQ(to_string(none), "");
  EXPECT_FALSE(none.cf() || none.pf() || none.af() || none.zf() || none.sf() || none.tf() ||
               none.if_() || none.df() || none.of() || none.nt() || none.rf() || none.vm() ||
               none.ac());
  // The bits of SDM vol. 1, figure 3-8.
  EXPECT_TRUE(Rflags{0x1}.cf());
  EXPECT_TRUE(Rflags{0x4}.pf());
  EXPECT_TRUE(Rflags{0x10}.af());
  EXPECT_TRUE(Rflags{0x40}.zf());
  EXPECT_TRUE(Rflags{0x80}.sf());
  EXPECT_TRUE(Rflags{0x100}.tf());
  EXPECT_TRUE(Rflags{0x200}.if_());
  EXPECT_TRUE(Rflags{0x400}.df());
  EXPECT_TRUE(Rflags{0x800}.of());
  EXPECT_EQ(Rflags{0x2000}.iopl(), 2U);
  EXPECT_TRUE(Rflags{0x4000}.nt());
  EXPECT_TRUE(Rflags{0x10000}.rf());
  EXPECT_TRUE(Rflags{0x20000}.vm());
  EXPECT_TRUE(Rflags{0x40000}.ac());
  EXPECT_EQ(to_string(Rflags{0xAD7}), "CF PF AF ZF SF IF OF");
}

std::string error_of_setting(const char* name, std::uint64_t value, CpuMode mode) {
  Registers registers;
  try {
    set_register(registers, name, value, mode);
  } catch (const RegisterError& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(RegisterNameTest, PartsChangeWhatAnInstructionWould) {
  Registers registers;
  const auto set = [&](const char* name, std::uint64_t value) {
    registers.rax = 0x1111111111111111;
    set_register(registers, name, value, CpuMode::kLong64);
    return registers.rax;
  };
  EXPECT_EQ(set("al", 0xFF), 0x11111111111111FFU);
  EXPECT_EQ(set("AH", 0xFF), 0x111111111111FF11U);
  EXPECT_EQ(set("ax", 0xFFFF), 0x111111111111FFFFU);
  EXPECT_EQ(set("eax", 0xFFFF'FFFF), 0xFFFF'FFFFU);
  EXPECT_EQ(set("rax", ~0ULL), ~0ULL);
  set_register(registers, "r15b", 0x7F, CpuMode::kLong64);
  set_register(registers, "rip", 0x1234, CpuMode::kLong64);
  set_register(registers, "eflags", 0x202, CpuMode::kLong64);
  set_register(registers, "cr0", 0x11, CpuMode::kLong64);
  set_register(registers, "cr2", 0x22, CpuMode::kLong64);
  set_register(registers, "cr3", 0x33000, CpuMode::kLong64);
  set_register(registers, "cr4", 0x44, CpuMode::kLong64);
  set_register(registers, "cr8", 0x5, CpuMode::kLong64);
  set_register(registers, "efer", 0x500, CpuMode::kLong64);
  EXPECT_EQ(registers.r15, 0x7FU);
  EXPECT_EQ(registers.rip, 0x1234U);
  EXPECT_TRUE(registers.rflags.if_());
  EXPECT_TRUE(registers.cr0.pe());
  EXPECT_EQ(registers.cr2, Gva{0x22});
  EXPECT_EQ(registers.cr3.table(), Gpa{0x33000});
  EXPECT_EQ(registers.cr4.value, 0x44U);
  EXPECT_EQ(registers.cr8, 5U);
  EXPECT_TRUE(registers.efer.lma());
}

TEST(RegisterNameTest, EveryGeneralRegisterReachesItsField) {
  Registers registers;
  std::uint64_t value = 0x100;
  for (const char* const name : {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9",
                                 "r10", "r11", "r12", "r13", "r14", "r15"}) {
    set_register(registers, name, ++value, CpuMode::kLong64);
    const auto values = named_values(registers);
    const auto named = std::ranges::find(values, name, &NamedValue::name);
    ASSERT_NE(named, values.end());
    EXPECT_EQ(named->value, value) << name;
  }
}

TEST(RegisterNameTest, Errors) {
  EXPECT_EQ(error_of_setting("al", 0x100, CpuMode::kReal16),
            "al = 0x100: the value does not fit in its 8 bits");
  EXPECT_EQ(error_of_setting("ah", 0x100, CpuMode::kReal16),
            "ah = 0x100: the value does not fit in its 8 bits");
  EXPECT_EQ(error_of_setting("bp", 0x10000, CpuMode::kReal16),
            "bp = 0x10000: the value does not fit in its 16 bits");
  EXPECT_EQ(error_of_setting("eip", 1ULL << 32U, CpuMode::kLong64),
            "eip = 0x100000000: the value does not fit in its 32 bits");
  EXPECT_EQ(error_of_setting("rcx", 1ULL << 32U, CpuMode::kProtected32),
            "rcx = 0x100000000: protected32 code sees 32 bits of it, and this is wider");
  EXPECT_EQ(error_of_setting("r10d", 1, CpuMode::kProtected32),
            "r10d = 0x1: protected32 code has no r10d");
  EXPECT_EQ(error_of_setting("rip", 1ULL << 32U, CpuMode::kReal16),
            "rip = 0x100000000: the value does not fit in its 32 bits");
  EXPECT_THAT(error_of_setting("foo", 1, CpuMode::kReal16),
              ::testing::StartsWith("there is no register 'foo' to set"));
}

Registers in_mode(bool pe, bool lma, bool l, bool db, bool vm = false) {
  Registers registers;
  registers.cr0.value = pe ? Cr0::kPe : 0;
  registers.efer.value = lma ? Efer::kLma : 0;
  registers.cs.l = l;
  registers.cs.db = db;
  if (vm) registers.rflags.value |= Rflags::kVm;
  return registers;
}

TEST(CpuModeTest, FollowsFromControlRegistersAndCs) {
  const std::vector<std::pair<Registers, std::string>> modes = {
      {in_mode(false, false, false, false), "real16"},
      {in_mode(true, false, false, false), "protected16"},
      {in_mode(true, false, false, true), "protected32"},
      {in_mode(true, false, false, false, true), "virtual8086"},
      {in_mode(true, true, false, false), "compatibility16"},
      {in_mode(true, true, false, true), "compatibility32"},
      {in_mode(true, true, true, false), "long64"}};
  for (const auto& [registers, name] : modes) {
    EXPECT_EQ(to_string(cpu_mode(registers)), name);
    EXPECT_EQ(mode_name(registers), name);
  }
  Registers user = in_mode(true, true, true, false);
  user.ss.dpl = 3;
  EXPECT_EQ(mode_name(user), "long64_user");
  EXPECT_EQ(code_bits(CpuMode::kCompatibility32), 32U);
  EXPECT_EQ(code_bits(CpuMode::kVirtual8086), 16U);
  EXPECT_EQ(code_bits(CpuMode::kLong64), 64U);
}

TEST(CpuModeTest, CodeAddressIsCutTo32BitsOutside64BitMode) {
  Registers registers = in_mode(true, false, false, true);
  registers.cs.base = Gva{0xFFFF'0000};
  registers.rip = 0x1'0000;
  EXPECT_EQ(registers.code_address(), Gva{0});
  registers = in_mode(true, true, true, false);
  registers.cs.base = Gva{0x1000};
  registers.rip = 0x1'0000'0000;
  EXPECT_EQ(registers.code_address(), Gva{0x1'0000'0000}) << "the base of CS counts for nothing";
}

TEST(VectorTest, NamesAndErrorCodes) {
  EXPECT_EQ(mnemonic(Vector::kPageFault), "#PF");
  EXPECT_EQ(description(Vector::kPageFault), "page fault");
  EXPECT_EQ(mnemonic(Vector{0x80}), "vector 0x80");
  EXPECT_EQ(description(Vector{0x80}), "interrupt");
  // SDM vol. 3, table 6-1.
  std::vector<unsigned> with_error_code;
  for (unsigned vector = 0; vector < 256; ++vector) {
    if (pushes_error_code(static_cast<Vector>(vector))) with_error_code.push_back(vector);
  }
  EXPECT_THAT(with_error_code, ::testing::ElementsAre(8, 10, 11, 12, 13, 14, 17, 21));
}

}  // namespace
