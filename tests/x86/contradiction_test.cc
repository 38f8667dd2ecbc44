// Each rule that control registers have to keep together: broken, and kept by the least change.
#include "x86/registers/contradiction.h"
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace {

using namespace hltest;
using namespace hltest::internal;

struct ContradictionCase {
  const char* name;
  std::uint64_t cr0;
  std::uint64_t cr4;
  std::uint64_t efer;
  std::function<void(Registers&)> also;
  const char* rule;

  friend std::ostream& operator<<(std::ostream& stream, const ContradictionCase& each) {
    return stream << each.name;
  }
};

class Contradictions : public ::testing::TestWithParam<ContradictionCase> {};

TEST_P(Contradictions, AreNamed) {
  const ContradictionCase& each = GetParam();
  Registers registers;
  registers.cr0.value = each.cr0;
  registers.cr4.value = each.cr4;
  registers.efer.value = each.efer;
  if (each.also) each.also(registers);
  EXPECT_EQ(contradiction_of(registers), each.rule);
}

constexpr std::uint64_t kPe = Cr0::kPe;
constexpr std::uint64_t kPePg = Cr0::kPe | Cr0::kPg;
constexpr std::uint64_t kPae = Cr4::kPae;
constexpr std::uint64_t kLongMode = Efer::kLme | Efer::kLma;
void at_cpl_3(Registers& r) { r.ss.dpl = 3; }
void in_virtual_8086_mode(Registers& r) {
  r.rflags.value |= Rflags::kVm;
  r.ss.dpl = 3;
}

INSTANTIATE_TEST_SUITE_P(
    Registers, Contradictions,
    ::testing::Values(
        ContradictionCase{"RealMode", Cr0::kEt, 0, 0, nullptr, ""},
        ContradictionCase{"ProtectedMode", kPe, 0, 0, nullptr, ""},
        ContradictionCase{"LongMode", kPePg, kPae, kLongMode, nullptr, ""},
        ContradictionCase{"UpperHalfOfCr0", kPe | 1ULL << 32U, 0, 0, nullptr,
                          "bits 63:32 of CR0 are reserved"},
        ContradictionCase{"PgWithoutPe", Cr0::kPg, 0, 0, nullptr, "CR0.PG requires CR0.PE"},
        ContradictionCase{"NwWithoutCd", kPe | Cr0::kNw, 0, 0, nullptr, "CR0.NW requires CR0.CD"},
        ContradictionCase{"NwWithCd", kPe | Cr0::kNw | Cr0::kCd, 0, 0, nullptr, ""},
        ContradictionCase{"CdWithoutNw", kPe | Cr0::kCd, 0, 0, nullptr, ""},
        ContradictionCase{"LmaWithoutPg", kPe, kPae, kLongMode, nullptr,
                          "EFER.LMA requires CR0.PG"},
        ContradictionCase{"LmaWithoutLme", kPePg, kPae, Efer::kLma, nullptr,
                          "EFER.LMA requires EFER.LME"},
        ContradictionCase{"LmeAndPgWithoutLma", kPePg, kPae, Efer::kLme, nullptr,
                          "EFER.LMA has to be set while EFER.LME and CR0.PG are"},
        ContradictionCase{"LmeBeforePg", kPe, kPae, Efer::kLme, nullptr, ""},
        ContradictionCase{"LmeBeforePgAndPae", kPe, 0, Efer::kLme, nullptr, ""},
        ContradictionCase{"LmaWithoutPae", kPePg, 0, kLongMode, nullptr,
                          "EFER.LMA requires CR4.PAE"},
        ContradictionCase{"PcideOutsideIa32eMode", kPePg, kPae | Cr4::kPcide, 0, nullptr,
                          "CR4.PCIDE requires IA-32e mode (EFER.LMA)"},
        ContradictionCase{"PcideInIa32eMode", kPePg, kPae | Cr4::kPcide, kLongMode, nullptr, ""},
        ContradictionCase{"La57InPaePaging", kPePg, kPae | Cr4::kLa57, 0, nullptr,
                          "CR4.LA57 with CR0.PG requires IA-32e mode (EFER.LMA)"},
        ContradictionCase{"La57BeforePaging", kPe, kPae | Cr4::kLa57, 0, nullptr, ""},
        ContradictionCase{"La57InIa32eMode", kPePg, kPae | Cr4::kLa57, kLongMode, nullptr, ""},
        ContradictionCase{"CsLAndD", kPePg, kPae, kLongMode,
                          [](Registers& r) { r.cs.l = r.cs.db = true; },
                          "CS.L and CS.D are both set"},
        ContradictionCase{"CsL", kPePg, kPae, kLongMode, [](Registers& r) { r.cs.l = true; }, ""},
        ContradictionCase{"CsLAndDOutsideIa32eMode", kPe, 0, 0,
                          [](Registers& r) { r.cs.l = r.cs.db = true; }, ""},
        ContradictionCase{"VmInRealMode", 0, 0, 0, in_virtual_8086_mode,
                          "RFLAGS.VM requires CR0.PE"},
        ContradictionCase{"VmInIa32eMode", kPePg, kPae, kLongMode, in_virtual_8086_mode,
                          "RFLAGS.VM can't be set in IA-32e mode"},
        ContradictionCase{"VmAtCpl0", kPe, 0, 0,
                          [](Registers& r) { r.rflags.value |= Rflags::kVm; },
                          "RFLAGS.VM requires CPL 3 (the DPL of SS)"},
        ContradictionCase{"Vm", kPe, 0, 0, in_virtual_8086_mode, ""},
        ContradictionCase{"RealModeAtCpl3", 0, 0, 0, at_cpl_3,
                          "real mode requires CPL 0 (the DPL of SS)"},
        ContradictionCase{"Cpl3", kPe, 0, 0, at_cpl_3, ""},
        ContradictionCase{"RflagsWithoutBit1", 0, 0, 0, [](Registers& r) { r.rflags.value = 0; },
                          "bit 1 of RFLAGS is always 1"},
        ContradictionCase{"A16BitTssInIa32eMode", kPePg, kPae, kLongMode,
                          [](Registers& r) { r.tr = Segment::task_state16(0x28, Gva{0}, 43); },
                          "TR holds a 16-bit TSS, which IA-32e mode lacks"},
        ContradictionCase{"A16BitTss", kPe, 0, 0,
                          [](Registers& r) { r.tr = Segment::task_state16(0x28, Gva{0}, 43); }, ""},
        ContradictionCase{"GdtNotCanonical", kPePg, kPae, kLongMode,
                          [](Registers& r) { r.gdt.base = Gva{1ULL << 47U}; },
                          "GDTR.base is 0x800000000000, which is not canonical"},
        ContradictionCase{"GdtCanonicalWith57Bits", kPePg, kPae | Cr4::kLa57, kLongMode,
                          [](Registers& r) { r.gdt.base = Gva{1ULL << 47U}; }, ""},
        ContradictionCase{"FsNotCanonical", kPePg, kPae, kLongMode,
                          [](Registers& r) { r.fs.base = Gva{1ULL << 63U}; },
                          "FS.base is 0x8000000000000000, which is not canonical"}),
    [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
