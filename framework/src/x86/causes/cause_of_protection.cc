#include <hltest/x86/register_name.h>
#include "x86/causes/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hltest {
namespace {

template <std::size_t kCount>
bool is_one_of(std::string_view name, const std::array<std::string_view, kCount>& names) {
  return std::ranges::find(names, name) != names.end();
}

// Instructions for CPL 0 only (SDM vol. 3, 5.9).
bool is_privileged(const DecodedInstruction& instruction) {
  static constexpr std::array<std::string_view, 15> kPrivileged = {
      "hlt",    "clts",  "lgdt",  "lidt",   "lldt",   "ltr",     "lmsw",  "invd",
      "wbinvd", "rdmsr", "wrmsr", "invlpg", "swapgs", "sysexit", "sysret"};
  if (is_one_of(instruction.mnemonic, kPrivileged)) return true;
  const Operand* const first = instruction.first(Operand::Kind::kRegister);
  const auto is_control = [](const Operand& operand) {
    return operand.name.starts_with("cr") || operand.name.starts_with("dr");
  };
  return instruction.is("mov") && first != nullptr &&
         std::ranges::any_of(instruction.operands, is_control);
}

std::string cause_of_privilege(const Registers& registers, const DecodedInstruction& instruction) {
  static constexpr std::array<std::string_view, 2> kInterruptFlag = {"cli", "sti"};
  static constexpr std::array<std::string_view, 8> kPorts = {"in",   "out",   "insb",  "insw",
                                                             "insd", "outsb", "outsw", "outsd"};
  const unsigned cpl = registers.cpl();
  if (!registers.cr0.pe() || cpl == 0) return {};
  if (is_privileged(instruction)) {
    return fmt::format("{} is for CPL 0 only, and CPL is {}", instruction.text, cpl);
  }
  const unsigned iopl = registers.rflags.iopl();
  if (cpl <= iopl) return {};
  if (is_one_of(instruction.mnemonic, kInterruptFlag)) {
    return fmt::format("{} takes CPL <= IOPL: CPL is {}, IOPL {}", instruction.mnemonic, cpl, iopl);
  }
  if (is_one_of(instruction.mnemonic, kPorts)) {
    return fmt::format(
        "{} takes CPL <= IOPL (CPL is {}, IOPL {}) or a 0 in the TSS's I/O permission "
        "bitmap",
        instruction.mnemonic, cpl, iopl);
  }
  return {};
}

bool is_null(std::uint64_t selector) { return (selector & 0xFFFC) == 0; }

// `selector 0x2 is a null selector (index 0), which SS can't be loaded with`.
std::string cause_of_null(std::uint64_t selector, std::string_view name) {
  return fmt::format("selector {:#x} is a null selector (index 0), which {} can't be loaded with",
                     selector & 0xFFFF, name);
}

// A null selector in place of one: it has no index that an error code could name.
std::string cause_of_null_selector(const Fault& fault, const DecodedInstruction& instruction) {
  const Registers& registers = fault.registers;
  const auto is_ss = [](const Operand& operand) {
    return operand.kind == Operand::Kind::kRegister && operand.is_written && operand.name == "ss";
  };
  if (std::ranges::any_of(instruction.operands, is_ss)) {
    const auto source = std::ranges::find_if(instruction.operands, [](const Operand& operand) {
      return operand.is_read && operand.kind == Operand::Kind::kRegister && operand.name != "ss";
    });
    const bool is_compatibility = registers.efer.lma() && !registers.cs.l;
    return cause_of_null(source != instruction.operands.end() ? source->value : 0, "SS") +
           (is_compatibility ? " outside 64-bit code, and CS.L is 0" : "");
  }
  const Operand* const pointer = instruction.first(Operand::Kind::kFarPointer);
  if (pointer != nullptr && is_null(pointer->selector))
    return cause_of_null(pointer->selector, "CS");
  if (const auto popped = popped_by_iret(fault, instruction)) {
    const bool is_short = instruction.is("iretd") && registers.cs.l;
    const char* const hint = is_short ? "; 64-bit code returns by IRETQ" : "";
    if (is_null(popped->cs)) {
      return fmt::format("{} takes {:#x} off the stack for CS, a null selector{}",
                         instruction.mnemonic, popped->cs, hint);
    }
    if (is_null(popped->ss)) {
      return fmt::format("{} takes {:#x} off the stack for SS, a null selector{}",
                         instruction.mnemonic, popped->ss, hint);
    }
  }
  static constexpr std::array<std::string_view, 4> kFarReturns = {"retf", "iret", "iretd", "iretq"};
  if (registers.cr0.pe() && is_one_of(instruction.mnemonic, kFarReturns)) {
    return fmt::format(
        "{} finds a null selector, or flags that it can't load, on the stack at "
        "SS:{:#x}",
        instruction.mnemonic, registers.rsp);
  }
  return {};
}

// In 64-bit code LGDT and LIDT take a limit of 2 bytes and a base of 8 (SDM vol. 2, LGDT/LIDT).
std::string cause_of_table_register(const Fault& fault, const DecodedInstruction& instruction) {
  const Operand* const memory = instruction.memory();
  if ((!instruction.is("lgdt") && !instruction.is("lidt")) || memory == nullptr) return {};
  if (cpu_mode(fault.registers) != CpuMode::kLong64) return {};
  const std::vector<std::uint8_t> bytes = fault.read(memory->linear + 2, 8);
  std::uint64_t base = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) base |= std::uint64_t{bytes[i]} << (8 * i);
  if (is_valid_linear_address(paging_mode(fault.registers), Gva{base})) return {};
  return fmt::format(
      "the base that {} reads, {:#x}, is not canonical: in 64-bit code it has 8 bytes",
      instruction.mnemonic, base);
}

bool is_within(const Segment& segment, const Operand& memory) {
  const std::uint64_t last = memory.value + std::max(memory.size, 1U) - 1;
  const bool expand_down = (segment.type & 0xC) == 0x4;
  if (!expand_down) return last <= segment.limit;
  return memory.value > segment.limit && last <= (segment.db ? 0xFFFF'FFFFU : 0xFFFFU);
}

std::string cause_of_memory(const Registers& registers, const DecodedInstruction& instruction) {
  for (const Operand& memory : instruction.operands) {
    if (memory.kind != Operand::Kind::kMemory) continue;
    const Segment* const segment = find_segment(registers, memory.name);
    if (segment == nullptr) continue;
    const std::string name = upper_case(memory.name);
    if (cpu_mode(registers) == CpuMode::kLong64) {
      const PagingMode paging = paging_mode(registers);
      if (!is_valid_linear_address(paging, memory.linear)) {
        return fmt::format("the {} {} is not canonical",
                           memory.is_hidden ? "stack address" : "address",
                           to_string(memory.linear));
      }
      continue;
    }
    if (segment->unusable) {
      return fmt::format("{} holds a null selector ({:#x}), which gives no access to memory", name,
                         segment->selector);
    }
    if (!is_within(*segment, memory)) {
      return fmt::format("the {} byte{} at {}:{:#x} {} beyond the limit of {}, {:#x}", memory.size,
                         memory.size == 1 ? "" : "s", name, memory.value,
                         memory.size == 1 ? "is" : "are", name, segment->limit);
    }
    const bool is_code = (segment->type & 0x8) != 0;
    const bool second_bit = (segment->type & 0x2) != 0;  // readable code, writable data
    if (registers.cr0.pe() && memory.is_written && (is_code || !second_bit)) {
      return fmt::format("{} ({:#x}) is not writable: it is {}", name, segment->selector,
                         is_code ? "code" : "read-only data");
    }
    if (registers.cr0.pe() && memory.is_read && is_code && !second_bit) {
      return fmt::format("{} ({:#x}) is not readable: it is execute-only code", name,
                         segment->selector);
    }
  }
  return {};
}

std::string cause_of_alignment(const DecodedInstruction& instruction) {
  static constexpr std::array<std::string_view, 9> kAligned = {"movaps",  "movapd",  "movdqa",
                                                               "movntps", "movntpd", "movntdq",
                                                               "fxsave",  "fxrstor", "fxsave64"};
  const Operand* const memory = instruction.memory();
  const bool has_to_be = instruction.unit == DecodedInstruction::Unit::kSse ||
                         is_one_of(instruction.mnemonic, kAligned);
  if (memory == nullptr || !has_to_be || memory->linear.is_aligned(16)) return {};
  if (memory->size < 16) return {};
  return fmt::format("{} takes an address that is a multiple of 16, not {}", instruction.mnemonic,
                     to_string(memory->linear));
}

// Where a near jump, call or return goes.
std::string cause_of_target(const Fault& fault, const DecodedInstruction& instruction) {
  static constexpr std::array<std::string_view, 3> kTransfers = {"jmp", "call", "ret"};
  const Registers& registers = fault.registers;
  if (!is_one_of(instruction.mnemonic, kTransfers)) return {};
  std::uint64_t target = 0;
  if (const Operand* const memory = instruction.memory();
      memory != nullptr && !instruction.is("call")) {
    const std::vector<std::uint8_t> bytes = fault.read(memory->linear, 8);
    for (std::size_t i = 0; i < bytes.size(); ++i) target |= std::uint64_t{bytes[i]} << (8 * i);
  } else if (const Operand* const target_register = instruction.first(Operand::Kind::kRegister)) {
    target = target_register->value;
  } else {
    return {};
  }
  if (cpu_mode(registers) == CpuMode::kLong64) {
    if (is_valid_linear_address(paging_mode(registers), Gva{target})) return {};
    return fmt::format("{} goes to {:#x}, which is not canonical", instruction.mnemonic, target);
  }
  return {};
}

}  // namespace

std::string cause_of_protection(const Fault& fault, const MaybeInstruction& instruction) {
  const Registers& registers = fault.registers;
  if (registers.efer.lma() &&
      !is_valid_linear_address(paging_mode(registers), registers.code_address())) {
    return fmt::format("RIP is {:#x}, which is not canonical: a jump, call or return went there",
                       registers.rip);
  }
  if (!instruction) {
    if (cpu_mode(registers) != CpuMode::kLong64 && registers.rip > registers.cs.limit) {
      return fmt::format("the instruction at CS:{:#x} is beyond the limit of CS, {:#x}",
                         registers.rip, registers.cs.limit);
    }
    return {};
  }
  for (const std::string& cause :
       {cause_of_privilege(registers, *instruction), cause_of_control_register(fault, *instruction),
        cause_of_msr(registers, *instruction), cause_of_null_selector(fault, *instruction),
        cause_of_table_register(fault, *instruction), cause_of_target(fault, *instruction),
        cause_of_memory(registers, *instruction), cause_of_alignment(*instruction)}) {
    if (!cause.empty()) return cause;
  }
  if (cpu_mode(registers) != CpuMode::kLong64 &&
      registers.rip + instruction->length - 1 > registers.cs.limit) {
    return fmt::format("the instruction at CS:{:#x} reaches beyond the limit of CS, {:#x}",
                       registers.rip, registers.cs.limit);
  }
  return {};
}

}  // namespace hltest
