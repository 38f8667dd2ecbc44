// Each rule for MOV to a control register, RDMSR and WRMSR: broken, at its boundary, satisfied.
#include <gtest/gtest.h>
#include <hltest/x86/msr.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kGp = Vector::kGeneralProtection;

class ControlRegisterRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(ControlRegisterRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto ax(std::uint64_t value) {
  return [=](Guest& guest) { guest.registers.rax = value; };
}
auto cr0(std::uint64_t now, std::uint64_t value, std::uint64_t efer = 0, std::uint64_t cr4 = 0) {
  return [=](Guest& guest) {
    guest.registers.cr0.value = now;
    guest.registers.rax = value;
    guest.registers.efer.value = efer;
    guest.registers.cr4.value = cr4;
    guest.registers.cr3.value = 0x6000;
  };
}
const Bytes kMovCr0 = {0x0F, 0x22, 0xC0};
const Bytes kMovCr3 = {0x0F, 0x22, 0xD8};
const Bytes kMovCr4 = {0x0F, 0x22, 0xE0};
constexpr std::uint64_t kPe = Cr0::kPe;
constexpr std::uint64_t kPePg = Cr0::kPe | Cr0::kPg;

INSTANTIATE_TEST_SUITE_P(
    ControlRegisters, ControlRegisterRules,
    ::testing::Values(
        CauseCase{"PgWithoutPe", kGp, 0, kMovCr0, cr0(kPe, Cr0::kPg),
                  "cr0 = 0x80000000: PG without PE"},
        CauseCase{"NwWithoutCd", kGp, 0, kMovCr0, cr0(kPe, kPe | Cr0::kNw),
                  "cr0 = 0x20000001: NW without CD"},
        CauseCase{"NwWithCd", kGp, 0, kMovCr0, cr0(kPe, kPe | Cr0::kNw | Cr0::kCd), ""},
        CauseCase{"PgWithLmeWithoutPae", kGp, 0, kMovCr0, cr0(kPe, kPePg, Efer::kLme),
                  "cr0 = 0x80000001: PG with EFER.LME but without CR4.PAE"},
        CauseCase{"PgWithLmeAndPae", kGp, 0, kMovCr0, cr0(kPe, kPePg, Efer::kLme, Cr4::kPae), ""},
        CauseCase{"PgWithLmeIn64BitCode", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    cr0(kPe, kPePg, Efer::kLme, Cr4::kPae)(guest);
                    guest.registers.cs.l = true;
                  },
                  "cr0 = 0x80000001: PG with EFER.LME while CS.L is set"},
        CauseCase{"PgIsCleared", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rax = 1;
                  },
                  "cr0 = 0x1: PG can't be cleared in 64-bit mode"},
        CauseCase{"UpperHalf", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rax = 1ULL << 32U | kPePg;
                  },
                  "cr0 = 0x180000001: bits 63:32 are reserved"},
        CauseCase{"PdpteWithABit", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    cr0(kPe, kPePg, 0, Cr4::kPae)(guest);
                    guest.put(0x6018, 0x7021, 8);
                  },
                  "with PAE paging (EFER.LME is 0) its PDPTE at 0x6018 (0x7021) has a reserved bit "
                  "set"},
        CauseCase{"PdpteOfATableAtAMultipleOf32", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    cr0(kPe, kPePg, 0, Cr4::kPae)(guest);
                    guest.registers.cr3.value = 0x6FE0;
                    guest.put(0x6FF8, 0x7003, 8);
                  },
                  "its PDPTE at 0x6ff8 (0x7003) has a reserved bit set"},
        CauseCase{"PdptesWithoutOne", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    cr0(kPe, kPePg, 0, Cr4::kPae)(guest);
                    guest.put(0x6018, 0x7E19, 8);  // PWT, PCD and ignored bits
                    guest.put(0x6000, 0x71E6, 8);  // not present
                  },
                  ""},
        CauseCase{"PdptesWithLme", kGp, 0, kMovCr0,
                  [](Guest& guest) {
                    cr0(kPe, kPePg, Efer::kLme, Cr4::kPae)(guest);
                    guest.put(0x6018, 0x7021, 8);
                  },
                  ""},
        CauseCase{"PaeIsCleared", kGp, 0, kMovCr4,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rax = 0;
                  },
                  "cr4 = 0x0: PAE can't be cleared in IA-32e mode"},
        CauseCase{"La57IsChanged", kGp, 0, kMovCr4,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.rax = Cr4::kPae | Cr4::kLa57;
                  },
                  "cr4 = 0x1020: LA57 can't be changed in IA-32e mode"},
        CauseCase{"AnUnknownBit", kGp, 0, kMovCr4, ax(1U << 30U | 0x10U),
                  "cr4 = 0x40000010: of the bits 0x40000010 that it sets, one is reserved or "
                  "belongs to a feature that CPUID does not show"},
        CauseCase{"PcideOutsideIa32eMode", kGp, 0, kMovCr4, ax(Cr4::kPcide),
                  "cr4 = 0x20000: PCIDE requires IA-32e mode"},
        CauseCase{"PcideWithAPcid", kGp, 0, kMovCr4,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.cr3.value = 0x6001;
                    guest.registers.rax = Cr4::kPae | Cr4::kPcide;
                  },
                  "cr4 = 0x20020: PCIDE requires bits 11:0 of CR3 to be 0, and CR3 is 0x6001"},
        CauseCase{"Cr3InPaePaging", kGp, 0, kMovCr3, cr0(kPePg, 0x6000, 0, Cr4::kPae),
                  "cr3 = 0x6000: a PDPTE that it points to has a reserved bit set"},
        CauseCase{"Cr3", kGp, 0, kMovCr3, cr0(kPePg, 0x6000), "cr3 = 0x6000: a reserved bit is set"},
        CauseCase{"MovFromCr0", kGp, 0, {0x0F, 0x20, 0xC0}, nullptr, ""}),
    kName);

auto wrmsr(Msr msr, std::uint64_t value, std::uint64_t cr0 = kPe) {
  return [=](Guest& guest) {
    guest.registers.cr0.value = cr0;
    guest.registers.rcx = static_cast<std::uint64_t>(msr);
    guest.registers.rax = value & 0xFFFF'FFFF;
    guest.registers.rdx = value >> 32U;
  };
}
const Bytes kWrmsr = {0x0F, 0x30};
INSTANTIATE_TEST_SUITE_P(
    Msrs, ControlRegisterRules,
    ::testing::Values(
        CauseCase{"Rdmsr",
                  kGp,
                  0,
                  {0x0F, 0x32},
                  wrmsr(Msr{0x1234}, 0),
                  "MSR 0x1234: this processor has no such MSR"},
        CauseCase{"LmeWhilePaging", kGp, 0, kWrmsr, wrmsr(Msr::kIa32Efer, Efer::kLme, kPePg),
                  "IA32_EFER (0xc0000080) = 0x100: LME can't be changed while CR0.PG is 1"},
        CauseCase{"LmeWithoutPaging", kGp, 0, kWrmsr, wrmsr(Msr::kIa32Efer, Efer::kLme),
                  "IA32_EFER (0xc0000080) = 0x100: a reserved bit is set"},
        CauseCase{"SameLmeWhilePaging", kGp, 0, kWrmsr, wrmsr(Msr::kIa32Efer, 0x8000, kPePg),
                  "IA32_EFER (0xc0000080) = 0x8000: a reserved bit is set"},
        CauseCase{"LstarNotCanonical", kGp, 0, kWrmsr, wrmsr(Msr::kIa32Lstar, 1ULL << 63U),
                  "IA32_LSTAR (0xc0000082) = 0x8000000000000000: it is not canonical"},
        CauseCase{"Another", kGp, 0, kWrmsr, wrmsr(Msr{0x1234}, 5),
                  "MSR 0x1234 = 0x5: this processor has no such MSR, or it refuses the value"}),
    kName);

}  // namespace
