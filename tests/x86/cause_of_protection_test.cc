// Each rule behind a #GP or #SS that names no selector: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kGp = Vector::kGeneralProtection;
constexpr Vector kSs = Vector::kStackFault;

class ProtectionRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(ProtectionRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto at_cpl(unsigned cpl, unsigned iopl = 0) {
  return [=](Guest& guest) {
    guest.registers.ss = Segment::flat_data(static_cast<std::uint16_t>(0x10 | cpl));
    guest.registers.rflags.value |= iopl << 12U;
  };
}
CauseCase privileged(const char* name, const Bytes& code, const char* text) {
  return {name, kGp, 0, code, at_cpl(3), std::string{text} + " requires CPL 0, and CPL is 3"};
}

INSTANTIATE_TEST_SUITE_P(
    Privileged, ProtectionRules,
    ::testing::Values(
        privileged("Hlt", {0xF4}, "hlt"), privileged("Clts", {0x0F, 0x06}, "clts"),
        privileged("Lgdt", {0x0F, 0x01, 0x10}, "lgdt [eax]"),
        privileged("Lidt", {0x0F, 0x01, 0x18}, "lidt [eax]"),
        privileged("Lldt", {0x0F, 0x00, 0xD0}, "lldt ax"),
        privileged("Ltr", {0x0F, 0x00, 0xD8}, "ltr ax"),
        privileged("Lmsw", {0x0F, 0x01, 0xF0}, "lmsw ax"), privileged("Invd", {0x0F, 0x08}, "invd"),
        privileged("Wbinvd", {0x0F, 0x09}, "wbinvd"), privileged("Rdmsr", {0x0F, 0x32}, "rdmsr"),
        privileged("Wrmsr", {0x0F, 0x30}, "wrmsr"),
        privileged("Invlpg", {0x0F, 0x01, 0x38}, "invlpg [eax]"),
        privileged("Sysexit", {0x0F, 0x35}, "sysexit"),
        privileged("Xsetbv", {0x0F, 0x01, 0xD1}, "xsetbv"),
        privileged("MovFromCr", {0x0F, 0x20, 0xC0}, "mov eax, cr0"),
        privileged("MovToDr", {0x0F, 0x23, 0xF8}, "mov dr7, eax"),
        CauseCase{"AtCpl1", kGp, 0, {0xF4}, at_cpl(1), "hlt requires CPL 0, and CPL is 1"},
        CauseCase{"AtCpl0", kGp, 0, {0xF4}, nullptr, ""},
        CauseCase{"InRealMode",
                  kGp,
                  0,
                  {0xF4},
                  [](Guest& guest) {
                    guest.registers.cr0.value = 0;
                    guest.registers.ss.dpl = 3;
                  },
                  ""},
        CauseCase{"AMovOfOtherRegisters", kGp, 0, {0x89, 0xD8}, at_cpl(3), ""}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Iopl, ProtectionRules,
    ::testing::Values(
        CauseCase{
            "Cli", kGp, 0, {0xFA}, at_cpl(2, 1), "cli requires CPL <= IOPL: CPL is 2, IOPL 1"},
        CauseCase{
            "Sti", kGp, 0, {0xFB}, at_cpl(1, 0), "sti requires CPL <= IOPL: CPL is 1, IOPL 0"},
        CauseCase{"CplIsIopl", kGp, 0, {0xFA}, at_cpl(2, 2), ""},
        CauseCase{"CplUnderIopl", kGp, 0, {0xFA}, at_cpl(2, 3), ""},
        CauseCase{"In",
                  kGp,
                  0,
                  {0xEC},
                  at_cpl(3, 2),
                  "in requires CPL <= IOPL (CPL is 3, IOPL 2) or a 0 in the TSS's I/O permission "
                  "bitmap"},
        CauseCase{"Outsb",
                  kGp,
                  0,
                  {0x6E},
                  at_cpl(3, 2),
                  "outsb requires CPL <= IOPL (CPL is 3, IOPL 2) or a 0 in the TSS's I/O "
                  "permission bitmap"},
        CauseCase{"InAtIopl", kGp, 0, {0xEC}, at_cpl(3, 3), ""},
        CauseCase{"Nop", kGp, 0, {0x90}, at_cpl(3, 0), ""},
        CauseCase{"IntInVirtual8086Mode",
                  kGp,
                  0,
                  {0xCD, 0x21},
                  [](Guest& guest) {
                    at_cpl(3, 2)(guest);
                    guest.registers.rflags.value |= Rflags::kVm;
                  },
                  "int in virtual-8086 mode requires IOPL 3: IOPL is 2"},
        CauseCase{"IntInVirtual8086ModeAtIopl3",
                  kGp,
                  0,
                  {0xCD, 0x21},
                  [](Guest& guest) {
                    at_cpl(3, 3)(guest);
                    guest.registers.rflags.value |= Rflags::kVm;
                  },
                  ""}),
    kName);

auto in_64_bit(std::uint64_t rax, std::uint64_t rsp = Guest::kStack) {
  return [=](Guest& guest) {
    guest.enter_64_bit();
    guest.registers.rax = rax;
    guest.registers.rsp = rsp;
  };
}
auto target_in_memory(std::uint64_t target) {
  return [=](Guest& guest) {
    guest.enter_64_bit();
    guest.registers.rax = 0x4000;
    guest.put(0x4000, target, 8);
    guest.put(Guest::kStack, target, 8);
  };
}
// LGDT reads a limit of 2 bytes, then the base.
auto lgdt(std::uint64_t base) {
  return [=](Guest& guest) {
    guest.enter_64_bit();
    guest.registers.rax = 0x4000;
    guest.put(0x4002, base, 8);
  };
}
constexpr std::uint64_t kLastLow = (1ULL << 47U) - 1;
const Bytes kReadRax = {0x48, 0x8B, 0x18};  // mov rbx, [rax]

INSTANTIATE_TEST_SUITE_P(
    Canonical, ProtectionRules,
    ::testing::Values(
        CauseCase{"ReadAtTheFirst", kGp, 0, kReadRax, in_64_bit(kLastLow + 1),
                  "the address 0x800000000000 is not canonical"},
        CauseCase{"ReadAtTheLast", kGp, 0, kReadRax, in_64_bit(kLastLow), ""},
        CauseCase{"Push",
                  kSs,
                  0,
                  {0x50},
                  in_64_bit(0, kLastLow + 9),
                  "the stack address 0x800000000000 is not canonical"},
        CauseCase{"PushBelow", kSs, 0, {0x50}, in_64_bit(0, kLastLow + 1), ""},
        CauseCase{"JmpRegister",
                  kGp,
                  0,
                  {0xFF, 0xE0},
                  in_64_bit(kLastLow + 1),
                  "jmp goes to 0x800000000000, which is not canonical"},
        CauseCase{"JmpRegisterLast", kGp, 0, {0xFF, 0xE0}, in_64_bit(kLastLow), ""},
        CauseCase{"CallMemory",
                  kGp,
                  0,
                  {0xFF, 0x10},
                  target_in_memory(kLastLow + 1),
                  "call goes to 0x800000000000, which is not canonical"},
        CauseCase{"CallMemoryLast", kGp, 0, {0xFF, 0x10}, target_in_memory(kLastLow), ""},
        CauseCase{"Ret",
                  kGp,
                  0,
                  {0xC3},
                  target_in_memory(kLastLow + 1),
                  "ret goes to 0x800000000000, which is not canonical"},
        CauseCase{"RetLast", kGp, 0, {0xC3}, target_in_memory(kLastLow), ""},
        CauseCase{"Lgdt",
                  kGp,
                  0,
                  {0x0F, 0x01, 0x10},
                  lgdt(kLastLow + 1),
                  "the base that lgdt reads, 0x800000000000, is not canonical: in 64-bit code it "
                  "has 8 bytes"},
        CauseCase{"LgdtLast", kGp, 0, {0x0F, 0x01, 0x10}, lgdt(kLastLow), ""},
        CauseCase{"LgdtIn32BitCode",
                  kGp,
                  0,
                  {0x0F, 0x01, 0x10},
                  [](Guest& guest) {
                    guest.registers.rax = 0x4000;
                    guest.put(0x4002, ~0ULL >> 1U, 8);
                  },
                  ""},
        CauseCase{"Rip",
                  kGp,
                  0,
                  {0x90},
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rip = kLastLow + 1;
                  },
                  "RIP is 0x800000000000, which is not canonical: a jump, call or return went "
                  "there"},
        CauseCase{"RipLast",
                  kGp,
                  0,
                  {0x90},
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rip = kLastLow;
                  },
                  ""}),
    kName);

auto ebx(std::uint64_t value) {
  return [=](Guest& guest) { guest.registers.rbx = value; };
}
INSTANTIATE_TEST_SUITE_P(
    Alignment, ProtectionRules,
    ::testing::Values(CauseCase{"Movaps",
                                kGp,
                                0,
                                {0x0F, 0x28, 0x03},
                                ebx(0x1008),
                                "movaps requires an address that is a multiple of 16, not 0x1008"},
                      CauseCase{"MovapsAligned", kGp, 0, {0x0F, 0x28, 0x03}, ebx(0x1010), ""},
                      CauseCase{"Movups", kGp, 0, {0x0F, 0x10, 0x03}, ebx(0x1008), ""},
                      CauseCase{"Movss", kGp, 0, {0xF3, 0x0F, 0x10, 0x03}, ebx(0x1001), ""},
                      CauseCase{"Fxsave",
                                kGp,
                                0,
                                {0x0F, 0xAE, 0x03},
                                ebx(0x1008),
                                "fxsave requires an address that is a multiple of 16, not 0x1008"},
                      CauseCase{"FxsaveAligned", kGp, 0, {0x0F, 0xAE, 0x03}, ebx(0x1010), ""},
                      CauseCase{"Xsave",
                                kGp,
                                0,
                                {0x0F, 0xAE, 0x23},
                                ebx(0x1020),
                                "xsave requires an address that is a multiple of 64, not 0x1020"},
                      CauseCase{"XsaveAligned", kGp, 0, {0x0F, 0xAE, 0x23}, ebx(0x1040), ""},
                      CauseCase{"VmovapsOf32Bytes",
                                kGp,
                                0,
                                {0xC5, 0xFC, 0x28, 0x03},
                                ebx(0x1010),
                                "vmovaps requires an address that is a multiple of 32, not 0x1010"},
                      CauseCase{
                          "VmovapsAligned", kGp, 0, {0xC5, 0xFC, 0x28, 0x03}, ebx(0x1020), ""},
                      CauseCase{"Vmovups", kGp, 0, {0xC5, 0xFC, 0x10, 0x03}, ebx(0x1001), ""},
                      CauseCase{"Mov", kGp, 0, {0x8B, 0x03}, ebx(0x1001), ""}),
    kName);

}  // namespace
