// Each rule behind a #DE: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kDe = Vector::kDivideError;

class DivisionRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(DivisionRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto divides(std::uint64_t rdx, std::uint64_t rax, std::uint64_t rbx, bool is_64_bit = false) {
  return [=](Guest& guest) {
    if (is_64_bit) guest.enter_64_bit();
    guest.registers.rdx = rdx;
    guest.registers.rax = rax;
    guest.registers.rbx = rbx;
  };
}
const Bytes kDivBl = {0xF6, 0xF3};
const Bytes kDivBx = {0x66, 0xF7, 0xF3};
const Bytes kDivEbx = {0xF7, 0xF3};
const Bytes kDivRbx = {0x48, 0xF7, 0xF3};
const Bytes kDivMemory = {0xF7, 0x33};  // div dword [ebx]
const Bytes kIdivBl = {0xF6, 0xFB};
const Bytes kIdivEbx = {0xF7, 0xFB};
const Bytes kIdivRbx = {0x48, 0xF7, 0xFB};
constexpr std::uint64_t kLeast64 = 1ULL << 63U;

INSTANTIATE_TEST_SUITE_P(
    Divisions, DivisionRules,
    ::testing::Values(
        CauseCase{"ByZero", kDe, {}, kDivEbx, divides(0, 1, 0), "the divisor ebx is 0"},
        CauseCase{"OnlyThePartThatDividesCounts",
                  kDe,
                  {},
                  kDivBl,
                  divides(0, 0, 0x100),
                  "the divisor bl is 0"},
        CauseCase{"MemoryIsZero",
                  kDe,
                  {},
                  kDivMemory,
                  divides(0, 0, 0x4000),
                  "the divisor at 0x4000 is 0"},
        CauseCase{"MemoryCantBeRead", kDe, {}, kDivMemory, divides(0, 0, 0x40000000), ""},
        CauseCase{"AxBy2",
                  kDe,
                  {},
                  kDivBl,
                  divides(0, 0x200, 2),
                  "the quotient of AX = 0x200 and divisor bl (0x2) does not fit in 8 bits"},
        CauseCase{"AxBy2Fits", kDe, {}, kDivBl, divides(0, 0x1FF, 2), ""},
        CauseCase{"DxAx",
                  kDe,
                  {},
                  kDivBx,
                  divides(2, 0, 2),
                  "the quotient of DX:AX = 0x2:0x0 and divisor bx (0x2) does not fit in 16 bits"},
        CauseCase{"DxAxFits", kDe, {}, kDivBx, divides(1, 0xFFFF, 2), ""},
        CauseCase{
            "EdxEax",
            kDe,
            {},
            kDivEbx,
            divides(2, 0, 2),
            "the quotient of EDX:EAX = 0x2:0x0 and divisor ebx (0x2) does not fit in 32 bits"},
        CauseCase{"EdxEaxFits", kDe, {}, kDivEbx, divides(1, 0xFFFFFFFF, 2), ""},
        CauseCase{
            "RdxRax",
            kDe,
            {},
            kDivRbx,
            divides(2, 0, 2, true),
            "the quotient of RDX:RAX = 0x2:0x0 and divisor rbx (0x2) does not fit in 64 bits"},
        CauseCase{"RdxRaxFits", kDe, {}, kDivRbx, divides(1, ~0ULL, 2, true), ""},
        CauseCase{"SignedTooLarge",
                  kDe,
                  {},
                  kIdivBl,
                  divides(0, 0x80, 1),
                  "the quotient of AX = 0x80 and divisor bl (0x1) does not fit in 8 bits"},
        CauseCase{"SignedLargest", kDe, {}, kIdivBl, divides(0, 0x7F, 1), ""},
        CauseCase{"SignedTooSmall",
                  kDe,
                  {},
                  kIdivBl,
                  divides(0, 0xFF7F, 1),
                  "the quotient of AX = 0xff7f and divisor bl (0x1) does not fit in 8 bits"},
        CauseCase{"SignedSmallest", kDe, {}, kIdivBl, divides(0, 0xFF80, 1), ""},
        CauseCase{"TheSmallestByMinusOne",
                  kDe,
                  {},
                  kIdivBl,
                  divides(0, 0xFF80, 0xFF),
                  "the quotient of AX = 0xff80 and divisor bl (0xff) does not fit in 8 bits"},
        CauseCase{"TheNextByMinusOne", kDe, {}, kIdivBl, divides(0, 0xFF81, 0xFF), ""},
        CauseCase{"128ByMinusOne", kDe, {}, kIdivBl, divides(0, 0x80, 0xFF), ""},
        CauseCase{
            "129ByMinusOne", kDe, {}, kIdivBl, divides(0, 0x81, 0xFF), "does not fit in 8 bits"},
        CauseCase{"Int32MinByMinusOne",
                  kDe,
                  {},
                  kIdivEbx,
                  divides(0xFFFFFFFF, 0x80000000, 0xFFFFFFFF),
                  "does not fit in 32 bits"},
        CauseCase{"TheSmallestOfAllByMinusOne",
                  kDe,
                  {},
                  kIdivRbx,
                  divides(kLeast64, 0, ~0ULL, true),
                  "does not fit in 64 bits"},
        CauseCase{"MinusOneByMinusOne", kDe, {}, kIdivRbx, divides(~0ULL, ~0ULL, ~0ULL, true), ""},
        CauseCase{"Aam", kDe, {}, {0xD4, 0}, nullptr, "AAM by 0"},
        CauseCase{"NotADivision", kDe, {}, {0x90}, nullptr, ""}),
    kName);

}  // namespace
