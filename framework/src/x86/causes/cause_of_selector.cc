#include "x86/causes/causes.h"
#include "x86/registers/error_code.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace hltest {
namespace {

// What an instruction wants a selector for.
enum class Use { kCode, kStack, kData, kTask, kLdt, kUnknown };

Use use_of(const Fault& fault, const MaybeInstruction& instruction, std::uint16_t selector) {
  if (!instruction) return Use::kUnknown;
  const auto popped = popped_by_iret(fault, *instruction);
  if (popped && (popped->cs & 0xFFFCU) != selector) return Use::kStack;
  for (const std::string_view name :
       {"jmp", "call", "retf", "iret", "iretd", "iretq", "sysret", "ret far"}) {
    if (instruction->is(name)) return Use::kCode;
  }
  if (instruction->is("ltr")) return Use::kTask;
  if (instruction->is("lldt")) return Use::kLdt;
  if (instruction->is("lss")) return Use::kStack;
  for (const Operand& operand : instruction->operands) {
    if (operand.kind != Operand::Kind::kRegister || !operand.is_written) continue;
    if (operand.name == "ss") return Use::kStack;
    for (const std::string_view name : {"ds", "es", "fs", "gs"}) {
      if (operand.name == name) return Use::kData;
    }
  }
  return Use::kUnknown;
}

template <typename Form>
concept IsCode = requires(Form form) {
  form.conforming;
};
template <typename Form>
concept IsData = requires(Form form) {
  form.writable;
};
template <typename Form>
concept HasPresent = requires(Form form) {
  form.present;
};

struct Rule {
  Use use;
  unsigned cpl;
  unsigned rpl;

  // The rule that a descriptor breaks for this use; empty where none is found.
  std::string operator()(const NullDescriptor& /*null*/) const { return "it is null"; }
  template <typename Form>
  std::string operator()(const Form& form) const {
    if (std::string wrong = wrong_type(form); !wrong.empty()) return wrong;
    if constexpr (IsCode<Form>) {
      if (use == Use::kCode) return code_privilege(form);
    }
    if constexpr (IsData<Form>) {
      if (use == Use::kStack && (form.dpl != cpl || rpl != cpl)) {
        return fmt::format("a stack segment takes DPL = RPL = CPL: DPL is {}, RPL {}, CPL {}",
                           form.dpl, rpl, cpl);
      }
      if (use == Use::kData) return data_privilege(form.dpl);
    }
    if constexpr (HasPresent<Form>) {
      if (!form.present) return "it is not present";
    }
    return {};
  }

  [[nodiscard]] std::string data_privilege(unsigned dpl) const {
    if (dpl >= cpl && dpl >= rpl) return {};
    return fmt::format("data takes a DPL of at least CPL and RPL: DPL is {}, CPL {}, RPL {}", dpl,
                       cpl, rpl);
  }
  template <typename Form>
  [[nodiscard]] std::string code_privilege(const Form& form) const {
    if (form.conforming) {
      return form.dpl > cpl ? fmt::format(
                                  "conforming code takes a DPL of at most CPL: DPL is {}, "
                                  "CPL {}",
                                  form.dpl, cpl)
                            : std::string{};
    }
    if (form.dpl == cpl && rpl <= cpl) return present_rule(form.present);
    return fmt::format("code takes DPL = CPL and RPL <= CPL: DPL is {}, CPL {}, RPL {}", form.dpl,
                       cpl, rpl);
  }
  static std::string present_rule(bool present) { return present ? "" : "it is not present"; }

  template <typename Form>
  [[nodiscard]] std::string wrong_type(const Form& form) const {
    constexpr bool kIsGate = std::is_same_v<Form, CallGate16> || std::is_same_v<Form, CallGate32> ||
                             std::is_same_v<Form, CallGate64> || std::is_same_v<Form, TaskGate>;
    constexpr bool kIsTss =
        std::is_same_v<Form, Tss16> || std::is_same_v<Form, Tss32> || std::is_same_v<Form, Tss64>;
    switch (use) {
      case Use::kCode:
        if constexpr (std::is_same_v<Form, ReservedDescriptor>) {
          constexpr std::uint64_t kL = 1ULL << 53U;
          constexpr std::uint64_t kD = 1ULL << 54U;
          if ((form.low & kL) != 0 && (form.low & kD) != 0) return "L and D are both set";
        }
        return IsCode<Form> || kIsGate || kIsTss ? "" : "a far transfer takes code or a gate";
      case Use::kStack:
        if constexpr (IsData<Form>) {
          return form.writable ? "" : "a stack takes writable data";
        }
        return "a stack takes writable data";
      case Use::kData:
        if constexpr (IsCode<Form>) {
          return form.readable ? "" : "data takes a data segment or readable code";
        }
        return IsData<Form> ? "" : "data takes a data segment or readable code";
      case Use::kTask:
        if constexpr (kIsTss) return form.busy ? "LTR takes a TSS that is not busy" : "";
        return "LTR takes a TSS";
      case Use::kLdt:
        return std::is_same_v<Form, Ldt> ? "" : "LLDT takes an LDT";
      case Use::kUnknown:
        break;
    }
    return {};
  }
};

// A system descriptor of 16 bytes whose second half the table has no room for.
bool is_cut_off(const Fault& fault, std::uint16_t selector, Gva base, std::uint32_t limit) {
  const std::uint64_t offset = selector & ~7U;
  if (descriptor_format(fault.registers) != DescriptorFormat::kIa32e || limit < offset + 7 ||
      limit >= offset + 15) {
    return false;
  }
  const std::vector<std::uint8_t> bytes = fault.read(base + offset, 8);
  std::uint64_t low = 0;
  if (bytes.size() == sizeof low) std::memcpy(&low, bytes.data(), sizeof low);
  return has_16_bytes(low, DescriptorFormat::kIa32e);
}

// The RPL is not in the error code: it is in the register that was loaded, or the far pointer.
unsigned requested_privilege(const Fault& fault, const MaybeInstruction& instruction,
                             std::uint16_t selector, unsigned otherwise) {
  if (!instruction) return otherwise;
  if (const auto popped = popped_by_iret(fault, *instruction)) {
    return ((popped->cs & 0xFFFCU) == selector ? popped->cs : popped->ss) & 3U;
  }
  for (const Operand& operand : instruction->operands) {
    if (operand.kind == Operand::Kind::kFarPointer) return operand.selector & 3U;
    if (operand.kind == Operand::Kind::kRegister && operand.is_read &&
        (operand.value & 0xFFFC) == (selector & 0xFFFCU)) {
      return operand.value & 3U;
    }
  }
  return otherwise;
}

const char* article_of(const Descriptor& descriptor) {
  return std::holds_alternative<ReservedDescriptor>(descriptor) ? "" : "a ";
}

std::string cause_of_gate(const Fault& fault, Vector vector) {
  const DescriptorReader tables{fault.registers, fault.read};
  const auto number = static_cast<unsigned>(vector);
  const std::optional<Descriptor> gate = tables.gate(vector);
  if (!gate) {
    return fmt::format("vector {:#x} has no gate: the limit of the IDT is {:#x}", number,
                       fault.registers.idt.limit);
  }
  const std::string what =
      fmt::format("the gate for vector {:#x} is {}{}", number, article_of(*gate), to_string(*gate));
  const unsigned cpl = fault.registers.cpl();
  const auto why = std::visit(
      [cpl](const auto& form) -> std::string {
        if constexpr (requires { form.selector; }) {
          if (form.dpl < cpl) return fmt::format(": INT n takes a DPL of at least CPL, {}", cpl);
          return form.present ? "" : ": it is not present";
        }
        return ": that is no gate";
      },
      *gate);
  return what + why;
}

}  // namespace

std::optional<PoppedSelectors> popped_by_iret(const Fault& fault,
                                              const DecodedInstruction& instruction) {
  const bool is_iret = instruction.is("iret") || instruction.is("iretd") || instruction.is("iretq");
  if (!is_iret || !fault.registers.cr0.pe()) return std::nullopt;
  const std::size_t size = instruction.is("iretq") ? 8 : instruction.is("iretd") ? 4 : 2;
  const Registers& registers = fault.registers;
  const Gva top = stack_address(registers);
  const auto pop = [&](std::size_t slot) -> std::optional<std::uint16_t> {
    const std::vector<std::uint8_t> bytes = fault.read(top + slot * size, 2);
    if (bytes.size() != 2) return std::nullopt;
    return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8U);
  };
  const std::optional<std::uint16_t> cs = pop(1);
  if (!cs) return std::nullopt;
  // SS is there in 64-bit code, and for a return to an outer level: else it stays as it is.
  const bool takes_ss = registers.cs.l || (*cs & 3U) > registers.cpl();
  return PoppedSelectors{.cs = *cs, .ss = takes_ss ? pop(4).value_or(0) : registers.ss.selector};
}

std::string cause_of_selector(const Fault& fault, const MaybeInstruction& instruction) {
  const SelectorErrorCode code{fault.error_code.value_or(0)};
  if (code.idt()) return cause_of_gate(fault, code.vector());

  const Registers& registers = fault.registers;
  const std::uint16_t selector = code.selector();
  const char* const table = code.ldt() ? "LDT" : "GDT";
  const DescriptorReader tables{registers, fault.read};
  const std::optional<Descriptor> descriptor = tables.descriptor(selector);
  const auto popped = instruction ? popped_by_iret(fault, *instruction) : std::nullopt;
  if (!descriptor) {
    if (code.ldt() && registers.ldt.unusable) {
      return fmt::format("selector {:#x} is of the LDT, and there is none", selector);
    }
    const std::uint32_t limit = code.ldt() ? registers.ldt.limit : registers.gdt.limit;
    if (limit >= (selector & ~7U) + 7U) {
      return fmt::format("selector {:#x}: the {} can't be read there", selector, table);
    }
    const std::string off_the_stack =
        popped ? fmt::format(", which {} takes off the stack for {},", instruction->mnemonic,
                             (popped->cs & 0xFFFCU) == selector ? "CS" : "SS")
               : "";
    return fmt::format("selector {:#x}{} is beyond the end of the {}, whose limit is {:#x}",
                       selector, off_the_stack, table, limit);
  }
  const Gva base = code.ldt() ? registers.ldt.base : registers.gdt.base;
  const std::uint32_t limit = code.ldt() ? registers.ldt.limit : registers.gdt.limit;
  if (is_cut_off(fault, selector, base, limit)) {
    return fmt::format(
        "{} entry {:#x} has 16 bytes in IA-32e mode, and the limit of the {}, {:#x}, ends in it",
        table, selector, table, limit);
  }
  // An IRET to an outer level checks for that level.
  const unsigned cpl = popped ? popped->cs & 3U : registers.cpl();
  const Rule rule{.use = use_of(fault, instruction, selector),
                  .cpl = cpl,
                  .rpl = requested_privilege(fault, instruction, selector, cpl)};
  std::string why = std::visit(rule, *descriptor);
  if (why.empty() && fault.vector == Vector::kSegmentNotPresent) why = "it is not present";
  return fmt::format("{} entry {:#x} is {}{}{}", table, selector, article_of(*descriptor),
                     to_string(*descriptor), why.empty() ? "" : ": " + why);
}

}  // namespace hltest
