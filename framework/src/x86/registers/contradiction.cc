#include "x86/registers/contradiction.h"
#include <hltest/x86/paging_mode.h>

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace hltest::internal {
namespace {

struct Rule {
  bool (*is_broken)(const Registers& r);
  std::string_view text;
};

// From the rules for all modes to those for one.
constexpr std::array kRules = {
    Rule{[](const Registers& r) { return r.cr0.value >> 32U != 0; },
         "bits 63:32 of CR0 are reserved"},
    Rule{[](const Registers& r) { return r.cr0.pg() && !r.cr0.pe(); }, "CR0.PG requires CR0.PE"},
    Rule{[](const Registers& r) { return r.cr0.nw() && !r.cr0.cd(); }, "CR0.NW requires CR0.CD"},
    Rule{[](const Registers& r) { return r.efer.lma() && !r.cr0.pg(); },
         "EFER.LMA requires CR0.PG"},
    Rule{[](const Registers& r) { return r.efer.lma() && !r.efer.lme(); },
         "EFER.LMA requires EFER.LME"},
    Rule{[](const Registers& r) { return r.efer.lme() && r.cr0.pg() && !r.efer.lma(); },
         "EFER.LMA has to be set while EFER.LME and CR0.PG are"},
    Rule{[](const Registers& r) { return r.efer.lma() && !r.cr4.pae(); },
         "EFER.LMA requires CR4.PAE"},
    Rule{[](const Registers& r) { return (r.cr4.value & Cr4::kPcide) != 0 && !r.efer.lma(); },
         "CR4.PCIDE requires IA-32e mode (EFER.LMA)"},
    Rule{[](const Registers& r) { return r.cr4.la57() && r.cr0.pg() && !r.efer.lma(); },
         "CR4.LA57 with CR0.PG requires IA-32e mode (EFER.LMA)"},
    Rule{[](const Registers& r) { return r.efer.lma() && r.cs.l && r.cs.db; },
         "CS.L and CS.D are both set"},
    Rule{[](const Registers& r) { return r.rflags.vm() && !r.cr0.pe(); },
         "RFLAGS.VM requires CR0.PE"},
    Rule{[](const Registers& r) { return r.rflags.vm() && r.efer.lma(); },
         "RFLAGS.VM can't be set in IA-32e mode"},
    Rule{[](const Registers& r) { return r.rflags.vm() && r.cpl() != 3; },
         "RFLAGS.VM requires CPL 3 (the DPL of SS)"},
    Rule{[](const Registers& r) { return !r.cr0.pe() && r.cpl() != 0; },
         "real mode requires CPL 0 (the DPL of SS)"},
    Rule{[](const Registers& r) { return (r.rflags.value & Rflags::kFixed) == 0; },
         "bit 1 of RFLAGS is always 1"},
    Rule{[](const Registers& r) { return r.efer.lma() && !r.tr.s && r.tr.type == 0x3; },
         "TR holds a 16-bit TSS, which IA-32e mode lacks"},
};

// Bases that hold addresses: those that are not canonical. 0 to 0xFFFFFFFF are canonical in any
// mode.
std::string not_canonical(const Registers& registers) {
  struct Base {
    std::string_view name;
    Gva value;
  };
  const std::array bases = {Base{"FS.base", registers.fs.base}, Base{"GS.base", registers.gs.base},
                            Base{"TR.base", registers.tr.base},
                            Base{"GDTR.base", registers.gdt.base},
                            Base{"IDTR.base", registers.idt.base}};
  const PagingMode mode = registers.cr4.la57() ? PagingMode::k5Level : PagingMode::k4Level;
  for (const Base& base : bases) {
    if (is_valid_linear_address(mode, base.value)) continue;
    return fmt::format("{} is {}, which is not canonical", base.name, to_string(base.value));
  }
  return {};
}

}  // namespace

std::string contradiction_of(const Registers& registers) {
  for (const Rule& rule : kRules) {
    if (rule.is_broken(registers)) return std::string{rule.text};
  }
  return not_canonical(registers);
}

}  // namespace hltest::internal
