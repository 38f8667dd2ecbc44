#include <hltest/x86/msr.h>
#include "x86/causes/causes.h"
#include "x86/paging/page_entry.h"
#include "x86/registers/read_number.h"

#include <fmt/format.h>

namespace hltest::internal {
namespace {

std::string why_cr0_is_refused(const Registers& registers, Cr0 cr0) {
  if (cr0.pg() && !cr0.pe()) return "PG without PE";
  if (cr0.nw() && !cr0.cd()) return "NW without CD";
  if (cr0.pg() && !registers.cr0.pg() && registers.efer.lme()) {
    if (!registers.cr4.pae()) return "PG with EFER.LME but without CR4.PAE";
    if (registers.cs.l) return "PG with EFER.LME while CS.L is set";
  }
  if (!cr0.pg() && registers.cr0.pg() && registers.cs.l)
    return "PG can't be cleared in 64-bit mode";
  if ((cr0.value >> 32U) != 0) return "bits 63:32 are reserved";
  return {};
}

std::string why_cr4_is_refused(const Registers& registers, Cr4 cr4) {
  if (registers.efer.lma() && !cr4.pae()) return "PAE can't be cleared in IA-32e mode";
  if (registers.efer.lma() && cr4.la57() != registers.cr4.la57()) {
    return "LA57 can't be changed in IA-32e mode";
  }
  const std::uint64_t added = cr4.value & ~registers.cr4.value;
  if ((added & Cr4::kPcide) != 0) {
    if (!registers.efer.lma()) return "PCIDE requires IA-32e mode";
    if ((registers.cr3.value & 0xFFF) != 0) {
      return fmt::format("PCIDE requires bits 11:0 of CR3 to be 0, and CR3 is {:#x}",
                         registers.cr3.value);
    }
  }
  return fmt::format(
      "of the bits {:#x} that it sets, one is reserved or belongs to a feature that CPUID does not "
      "show",
      added);
}

// The MSRs that WRMSR checks for being canonical (SDM vol. 2, WRMSR).
bool holds_an_address(Msr msr) {
  switch (msr) {
    case Msr::kIa32SysenterEsp:
    case Msr::kIa32SysenterEip:
    case Msr::kIa32Lstar:
    case Msr::kIa32Cstar:
    case Msr::kIa32FsBase:
    case Msr::kIa32GsBase:
    case Msr::kIa32KernelGsBase:
      return true;
    default:
      return false;
  }
}

// PAE paging loads the four entries that CR3 points to, and looks at their reserved bits, when it
// begins and when CR3 changes (SDM vol. 3, 4.4.1).
std::string why_pdptes_are_refused(const Fault& fault, Cr3 cr3) {
  PagingContext context = paging_context(fault.registers);
  context.mode = PagingMode::kPae;
  constexpr std::size_t kSize = 32;
  const Gpa table{cr3.value & 0xFFFF'FFE0};
  const std::vector<std::uint8_t> bytes = fault.read_physical(table, kSize);
  if (bytes.size() != kSize) return {};
  for (std::size_t at = 0; at < kSize; at += 8) {
    const PageEntry entry{.mode = PagingMode::kPae,
                          .level = 2,
                          .value = little_endian(std::span{bytes}.subspan(at, 8))};
    if (!entry.present() || (entry.value & entry.reserved_bits_of_loaded_pdpte(context)) == 0) {
      continue;
    }
    return fmt::format(
        "with PAE paging (EFER.LME is 0) its PDPTE at {} ({:#x}) has a reserved bit set",
        to_string(table + at), entry.value);
  }
  return {};
}

}  // namespace

std::string cause_of_control_register(const Fault& fault, const DecodedInstruction& instruction) {
  const Registers& registers = fault.registers;
  const Operand* target = nullptr;
  const Operand* source = nullptr;
  for (const Operand& operand : instruction.operands) {
    if (operand.kind != Operand::Kind::kRegister) continue;
    (operand.is_written ? target : source) = &operand;
  }
  if (!instruction.is(Mnemonic::kMov) || target == nullptr || source == nullptr) return {};
  const std::uint64_t value = source->value;
  std::string why;
  if (target->name == "cr0") {
    const Cr0 cr0{value};
    why = why_cr0_is_refused(registers, cr0);
    const bool begins_pae = cr0.pg() && !registers.cr0.pg() && registers.cr4.pae();
    if (why.empty() && begins_pae && !registers.efer.lme()) {
      why = why_pdptes_are_refused(fault, registers.cr3);
    }
  } else if (target->name == "cr4") {
    why = why_cr4_is_refused(registers, {value});
  } else if (target->name == "cr3") {
    why = registers.cr4.pae() && !registers.efer.lma()
              ? "a PDPTE that it points to has a reserved bit set"
              : "a reserved bit is set";
  } else {
    return {};
  }
  if (why.empty()) return {};
  return fmt::format("{} = {:#x}: {}", target->name, value, why);
}

std::string cause_of_msr(const Registers& registers, const DecodedInstruction& instruction) {
  const bool reads = instruction.is(Mnemonic::kRdmsr);
  if (!reads && !instruction.is(Mnemonic::kWrmsr)) return {};
  const Msr msr{registers.ecx()};
  const std::string name = fmt::format("{} ({:#x})", to_string(msr), registers.ecx());
  const std::string what = to_string(msr).starts_with("MSR ") ? to_string(msr) : name;
  if (reads) return what + ": this processor has no such MSR";
  const std::uint64_t value = (registers.rdx << 32U) | static_cast<std::uint32_t>(registers.rax);
  if (msr == Msr::kIa32Efer) {
    const Efer efer{value};
    if (registers.cr0.pg() && efer.lme() != registers.efer.lme()) {
      return fmt::format("{} = {:#x}: LME can't be changed while CR0.PG is 1", what, value);
    }
    return fmt::format("{} = {:#x}: a reserved bit is set", what, value);
  }
  if (holds_an_address(msr) && !is_valid_linear_address(PagingMode::k5Level, Gva{value})) {
    return fmt::format("{} = {:#x}: it is not canonical", what, value);
  }
  return fmt::format("{} = {:#x}: this processor has no such MSR, or it refuses the value", what,
                     value);
}

}  // namespace hltest::internal
