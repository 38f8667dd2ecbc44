// Each rule for the exceptions that are an instruction's own: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kUd = Vector::kInvalidOpcode;

class InstructionRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(InstructionRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto control(std::uint64_t cr0, std::uint64_t cr4) {
  return [=](Guest& guest) {
    guest.registers.cr0.value = Cr0::kPe | cr0;
    guest.registers.cr4.value = cr4;
  };
}
std::string lacks(const char* text) {
  return "this processor lacks `" + std::string{text} + "`, or its CPUID does not show it";
}

INSTANTIATE_TEST_SUITE_P(
    Opcodes, InstructionRules,
    ::testing::Values(
        CauseCase{"Ud2", kUd, {}, {0x0F, 0x0B}, nullptr, "ud2 always raises #UD"},
        CauseCase{"Ud1", kUd, {}, {0x0F, 0xB9, 0xC0}, nullptr, "ud1 always raises #UD"},
        CauseCase{"SyscallWithoutSce",
                  kUd,
                  {},
                  {0x0F, 0x05},
                  [](Guest& guest) { guest.enter_64_bit(); },
                  "syscall requires EFER.SCE"},
        CauseCase{"SyscallWithSce",
                  kUd,
                  {},
                  {0x0F, 0x05},
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.efer.value |= Efer::kSce;
                  },
                  lacks("syscall")},
        CauseCase{"SseWithoutOsfxsr",
                  kUd,
                  {},
                  {0x0F, 0x28, 0xC1},
                  control(0, Cr4::kOsxsave),
                  "movaps requires CR4.OSFXSR"},
        CauseCase{"SseWithEm",
                  kUd,
                  {},
                  {0x0F, 0x28, 0xC1},
                  control(Cr0::kEm, Cr4::kOsfxsr),
                  "movaps requires CR0.EM = 0"},
        CauseCase{"Sse",
                  kUd,
                  {},
                  {0x0F, 0x28, 0xC1},
                  control(0, Cr4::kOsfxsr),
                  lacks("movaps xmm0, xmm1")},
        CauseCase{"MmxWithEm",
                  kUd,
                  {},
                  {0x0F, 0x6F, 0xC1},
                  control(Cr0::kEm, 0),
                  "movq requires CR0.EM = 0"},
        CauseCase{"Mmx", kUd, {}, {0x0F, 0x6F, 0xC1}, control(0, 0), lacks("movq mm0, mm1")},
        CauseCase{"AvxWithoutOsxsave",
                  kUd,
                  {},
                  {0xC5, 0xF8, 0x28, 0xC1},
                  control(0, Cr4::kOsfxsr),
                  "vmovaps requires CR4.OSXSAVE"},
        CauseCase{"Avx",
                  kUd,
                  {},
                  {0xC5, 0xF8, 0x28, 0xC1},
                  control(0, Cr4::kOsxsave),
                  lacks("vmovaps xmm0, xmm1")},
        CauseCase{"XgetbvWithoutOsxsave",
                  kUd,
                  {},
                  {0x0F, 0x01, 0xD0},
                  control(0, Cr4::kOsfxsr),
                  "xgetbv requires CR4.OSXSAVE"},
        CauseCase{
            "Xgetbv", kUd, {}, {0x0F, 0x01, 0xD0}, control(0, Cr4::kOsxsave), lacks("xgetbv")},
        CauseCase{"MovCs",
                  kUd,
                  {},
                  {0x8E, 0xC8},
                  nullptr,
                  "MOV can't load CS; use a far jump, call or return"},
        CauseCase{
            "MovOfNoSegment", kUd, {}, {0x8E, 0xF0}, nullptr, "8e f0 00 00 is not an instruction"},
        CauseCase{"LockOfARegister",
                  kUd,
                  {},
                  {0xF0, 0x01, 0xC0},
                  nullptr,
                  "LOCK requires an instruction that reads and writes memory"},
        CauseCase{"ProtectedModeInRealMode",
                  kUd,
                  {},
                  {0x0F, 0x00, 0xD8},
                  [](Guest& guest) {
                    guest.registers.cr0.value = 0;
                    guest.registers.cs.db = false;
                  },
                  "`ltr ax` requires protected mode"},
        CauseCase{"PushaIn64BitCode",
                  kUd,
                  {},
                  {0x60},
                  [](Guest& guest) { guest.enter_64_bit(); },
                  "60 is not an instruction in 64-bit code (in 32-bit code it is `pushad`)"},
        CauseCase{"Nothing",
                  kUd,
                  {},
                  {0x0F, 0x0A, 0xFF, 0xFF},
                  nullptr,
                  "0f 0a ff ff is not an instruction"},
        CauseCase{"OutsideMemory",
                  kUd,
                  {},
                  {},
                  [](Guest& guest) { guest.registers.rip = 0x40000000; },
                  "the code at RIP can't be read"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Others, InstructionRules,
    ::testing::Values(
        CauseCase{"NmWithTs",
                  Vector::kDeviceNotAvailable,
                  {},
                  {0xD9, 0xE8},
                  control(Cr0::kTs, 0),
                  "CR0.TS is 1: the unit may still hold another task's state (CLTS clears it)"},
        CauseCase{"NmWithEm",
                  Vector::kDeviceNotAvailable,
                  {},
                  {0xD9, 0xE8},
                  control(Cr0::kTs | Cr0::kEm, 0),
                  "CR0.EM is 1: x87 instructions are to be emulated"},
        CauseCase{"Nm", Vector::kDeviceNotAvailable, {}, {0xD9, 0xE8}, control(0, 0), ""},
        CauseCase{"DbWithTf",
                  Vector::kDebug,
                  {},
                  {0x90},
                  [](Guest& guest) { guest.registers.rflags.value |= Rflags::kTf; },
                  "RFLAGS.TF is set: #DB after each instruction"},
        CauseCase{"Db", Vector::kDebug, {}, {0x90}, nullptr, ""},
        CauseCase{"AcOfMemory",
                  Vector::kAlignmentCheck,
                  0,
                  {0x8B, 0x03},
                  [](Guest& guest) { guest.registers.rbx = 0x1002; },
                  "0x1002 is not a multiple of 4, and CR0.AM and RFLAGS.AC are set"},
        CauseCase{"AcOfNoMemory",
                  Vector::kAlignmentCheck,
                  0,
                  {0x90},
                  nullptr,
                  "a misaligned access at CPL 3 while CR0.AM and RFLAGS.AC are set"},
        CauseCase{"Of", Vector::kOverflow, {}, {0xCE}, nullptr, "OF is set at INTO"},
        CauseCase{"Br",
                  Vector::kBoundRangeExceeded,
                  {},
                  {0x62, 0x03},
                  nullptr,
                  "the index is outside the bounds of BOUND"},
        CauseCase{"Mf",
                  Vector::kX87FloatingPoint,
                  {},
                  {0x9B},
                  nullptr,
                  "an unmasked x87 exception is pending (FNSTSW says which)"},
        CauseCase{"Xm",
                  Vector::kSimdFloatingPoint,
                  {},
                  {0x0F, 0x5E, 0xC1},
                  nullptr,
                  "MXCSR does not mask an SSE exception that occurred"},
        CauseCase{"Mc", Vector::kMachineCheck, {}, {0x90}, nullptr, ""}),
    kName);

}  // namespace
