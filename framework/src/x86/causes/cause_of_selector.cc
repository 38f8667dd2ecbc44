#include "x86/causes/causes.h"
#include "x86/causes/inner_stack.h"
#include "x86/causes/loaded_selectors.h"
#include "x86/causes/selector_rule.h"
#include "x86/registers/error_code.h"
#include "x86/registers/read_number.h"

#include <fmt/format.h>

#include <type_traits>

namespace hltest::internal {
namespace {

using enum Mnemonic;

// A call gate that a far call or jump goes through.
struct GateInUse {
  std::uint16_t gate = 0;  // its selector
  std::uint16_t code = 0;  // the selector in it
};

std::optional<GateInUse> gate_in_use(const Fault& fault, const DecodedInstruction& instruction) {
  if (!instruction.is(kCallFar, kJmpFar)) return std::nullopt;
  const std::optional<std::uint16_t> selector = loaded_selector(fault, instruction);
  if (!selector) return std::nullopt;
  const auto descriptor = DescriptorReader{fault.registers, fault.read}.descriptor(*selector);
  if (!descriptor) return std::nullopt;
  return std::visit(
      [&](const auto& form) -> std::optional<GateInUse> {
        if constexpr (requires { form.parameters; }) {
          return GateInUse{.gate = *selector, .code = form.selector};
        } else {
          return std::nullopt;
        }
      },
      *descriptor);
}

// How an instruction uses the selector that an error code names.
SelectorUse use_of(const Fault& fault, const DecodedInstruction& instruction,
                   std::uint16_t selector) {
  if (const auto popped = popped_selectors(fault, instruction)) {
    return without_rpl(popped->cs) == selector ? SelectorUse::kReturn : SelectorUse::kStack;
  }
  if (const auto gate = gate_in_use(fault, instruction)) {
    if (without_rpl(gate->gate) != selector) return SelectorUse::kGateTarget;
  }
  if (instruction.is(kJmpFar, kCallFar)) return SelectorUse::kTransfer;
  if (instruction.is(kIret, kIretd, kIretq, kRetFar)) return SelectorUse::kReturn;
  if (instruction.is(kLtr)) return SelectorUse::kTask;
  if (instruction.is(kLldt)) return SelectorUse::kLdt;
  if (loads(instruction, "ss")) return SelectorUse::kStack;
  for (const char* const name : {"ds", "es", "fs", "gs"}) {
    if (loads(instruction, name)) return SelectorUse::kData;
  }
  return SelectorUse::kUnknown;
}

SelectorLoad load_of(const Fault& fault, const MaybeInstruction& instruction,
                     std::uint16_t selector) {
  const Registers& registers = fault.registers;
  SelectorLoad load{.cpl = registers.cpl(), .rpl = registers.cpl(), .ia32e = registers.efer.lma()};
  if (!instruction) return load;
  load.use = use_of(fault, *instruction, selector);
  if (const auto popped = popped_selectors(fault, *instruction)) {
    // A return to an outer level checks for that level.
    load.cpl = popped->cs & 3U;
    load.rpl = (load.use == SelectorUse::kReturn ? popped->cs : popped->ss) & 3U;
  } else if (const auto loaded = loaded_selector(fault, *instruction)) {
    load.rpl = *loaded & 3U;
  }
  return load;
}

// A system descriptor of 16 bytes whose second half the table has no room for.
bool is_cut_off(const Fault& fault, std::uint16_t selector, Gva base, std::uint32_t limit) {
  const std::uint64_t offset = selector & ~7U;
  if (!fault.registers.efer.lma() || limit < offset + 7 || limit >= offset + 15) return false;
  const auto low = read_number(fault.read, base + offset, 8);
  return low && has_16_bytes(*low, DescriptorFormat::kIa32e);
}

// Where a selector comes from that the instruction's text does not show.
std::string origin_of(const Fault& fault, const MaybeInstruction& instruction,
                      std::uint16_t selector) {
  if (!instruction) return {};
  if (const auto popped = popped_selectors(fault, *instruction)) {
    return fmt::format(", which {} pops into {},", instruction->name,
                       without_rpl(popped->cs) == selector ? "CS" : "SS");
  }
  const auto gate = gate_in_use(fault, *instruction);
  if (!gate || without_rpl(gate->gate) == selector) return {};
  return fmt::format(", which the call gate {:#x} names,", gate->gate);
}

// A descriptor that the table does not have; empty if it has it.
std::string missing_descriptor(const Fault& fault, const MaybeInstruction& instruction,
                               std::uint16_t selector) {
  const Registers& registers = fault.registers;
  const bool in_ldt = is_in_ldt(selector);
  const char* const table = in_ldt ? "LDT" : "GDT";
  if (in_ldt && registers.ldt.unusable) {
    return fmt::format("selector {:#x} is of the LDT, and there is none", selector);
  }
  const Gva base = in_ldt ? registers.ldt.base : registers.gdt.base;
  const std::uint32_t limit = in_ldt ? registers.ldt.limit : registers.gdt.limit;
  if (limit < (selector & ~7U) + 7U) {
    return fmt::format("selector {:#x}{} is beyond the end of the {}, whose limit is {:#x}",
                       selector, origin_of(fault, instruction, selector), table, limit);
  }
  if (is_cut_off(fault, selector, base, limit)) {
    return fmt::format(
        "{} entry {:#x} has 16 bytes in IA-32e mode, and the limit of the {}, {:#x}, ends in it",
        table, selector, table, limit);
  }
  return fmt::format("selector {:#x}: the {} can't be read there", selector, table);
}

const char* article_of(const Descriptor& descriptor) {
  return std::holds_alternative<ReservedDescriptor>(descriptor) ? "" : "a ";
}

// The DPL of the code that the gate of this vector, or a call gate, leads to.
std::optional<unsigned> level_of_code(const DescriptorReader& tables, std::uint16_t selector) {
  const auto descriptor = tables.descriptor(selector);
  if (!descriptor) return std::nullopt;
  return std::visit(
      [](const auto& form) -> std::optional<unsigned> {
        if constexpr (requires { form.conforming; }) return form.dpl;
        return std::nullopt;
      },
      *descriptor);
}

// The level whose stack an instruction, or the delivery of an event, switches to. Nearly every
// handler runs at CPL 0.
unsigned inner_level(const Fault& fault, const MaybeInstruction& instruction) {
  if (!instruction) return 0;
  const DescriptorReader tables{fault.registers, fault.read};
  if (const auto gate = gate_in_use(fault, *instruction)) {
    return level_of_code(tables, gate->code).value_or(0);
  }
  const std::optional<Vector> vector = software_vector(*instruction);
  if (!vector) return 0;
  const auto gate = tables.gate(*vector);
  if (!gate) return 0;
  return std::visit(
      [&](const auto& form) -> unsigned {
        if constexpr (requires { form.ist; }) {
          return level_of_code(tables, form.selector).value_or(0);
        }
        return 0;
      },
      *gate);
}

std::string cause_of_gate(const Fault& fault, const MaybeInstruction& instruction,
                          SelectorErrorCode code) {
  const auto number = static_cast<unsigned>(code.vector());
  const std::optional<Descriptor> gate =
      DescriptorReader{fault.registers, fault.read}.gate(code.vector());
  if (!gate) {
    const DescriptorTableRegister& idt = fault.registers.idt;
    const unsigned size = gate_size(fault.registers);
    return idt.limit >= (number + 1) * size - 1
               ? fmt::format("the gate for vector {:#x} can't be read", number)
               : fmt::format("vector {:#x} has no gate: the limit of the IDT is {:#x}", number,
                             idt.limit);
  }
  const unsigned cpl = fault.registers.cpl();
  // Exceptions and interrupts from outside go through any gate.
  const bool is_software = !code.external() && instruction && instruction->is(kInt, kInt3, kInto);
  const std::string why = std::visit(
      [&](const auto& form) -> std::string {
        using Form = std::decay_t<decltype(form)>;
        if constexpr (requires { form.ist; } || std::is_same_v<Form, TaskGate>) {
          if (is_software && form.dpl < cpl) {
            return fmt::format(": {} at CPL {} requires a gate with a DPL of at least {}",
                               instruction->text, cpl, cpl);
          }
          return form.present ? "" : ": it is not present";
        } else {
          return ": it is not a gate";
        }
      },
      *gate);
  return fmt::format("the gate for vector {:#x} is {}{}{}", number, article_of(*gate),
                     to_string(*gate), why);
}

// The stack that the TSS has for an inner level.
std::string cause_of_invalid_tss(const Fault& fault, const MaybeInstruction& instruction) {
  const unsigned level = inner_level(fault, instruction);
  if (level >= fault.registers.cpl()) return {};
  return stack_of_tss(fault.registers, fault.read, level).obstacle;
}

}  // namespace

std::string cause_of_selector(const Fault& fault, const MaybeInstruction& instruction) {
  const SelectorErrorCode code{fault.error_code.value_or(0)};
  if (code.idt()) return cause_of_gate(fault, instruction, code);
  const bool is_stack_fault = fault.vector == Vector::kStackFault;
  if (fault.vector == Vector::kInvalidTss || is_stack_fault) {
    if (std::string cause = cause_of_invalid_tss(fault, instruction); !cause.empty()) return cause;
  }
  const std::uint16_t selector = code.selector();
  if (selector == 0) return {};

  const auto descriptor = DescriptorReader{fault.registers, fault.read}.descriptor(selector);
  if (!descriptor) return missing_descriptor(fault, instruction, selector);
  const SelectorLoad load = load_of(fault, instruction, selector);
  std::string why = broken_rule(load, *descriptor);
  const bool is_system = load.use == SelectorUse::kTask || load.use == SelectorUse::kLdt;
  if (is_system && code.ldt()) {
    why = fmt::format("{} requires a selector of the GDT", instruction->name);
  }
  const unsigned cpl = fault.registers.cpl();
  if (load.use == SelectorUse::kReturn && load.rpl < cpl) {
    why = fmt::format("a return can't go to an inner level: RPL is {}, CPL {}", load.rpl, cpl);
  }
  return fmt::format(
      "{} entry {:#x}{} is {}{}{}", code.ldt() ? "LDT" : "GDT", selector,
      load.use == SelectorUse::kGateTarget ? origin_of(fault, instruction, selector) : "",
      article_of(*descriptor), to_string(*descriptor), why.empty() ? "" : ": " + why);
}

}  // namespace hltest::internal
