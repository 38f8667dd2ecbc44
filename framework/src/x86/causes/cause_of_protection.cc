#include <hltest/x86/register_name.h>
#include "x86/causes/causes.h"
#include "x86/counted.h"
#include "x86/registers/read_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hltest::internal {
namespace {

using enum Mnemonic;

// Instructions for CPL 0 only (SDM vol. 3, 5.9).
bool is_privileged(const DecodedInstruction& instruction) {
  if (instruction.is(kHlt, kClts, kLgdt, kLidt, kLldt, kLtr, kLmsw, kInvd, kWbinvd, kRdmsr, kWrmsr,
                     kInvlpg, kSwapgs, kSysexit, kSysret, kXsetbv)) {
    return true;
  }
  const auto is_control = [](const Operand& operand) {
    return operand.kind == Operand::Kind::kRegister &&
           (operand.name.starts_with("cr") || operand.name.starts_with("dr"));
  };
  return instruction.is(kMov) && std::ranges::any_of(instruction.operands, is_control);
}

std::string cause_of_privilege(const Registers& registers, const DecodedInstruction& instruction) {
  const unsigned cpl = registers.cpl();
  if (!registers.cr0.pe() || cpl == 0) return {};
  if (is_privileged(instruction)) {
    return fmt::format("{} requires CPL 0, and CPL is {}", instruction.text, cpl);
  }
  const unsigned iopl = registers.rflags.iopl();
  if (cpl <= iopl) return {};
  if (registers.rflags.vm() && instruction.is(kInt, kIret, kIretd)) {
    return fmt::format("{} in virtual-8086 mode requires IOPL 3: IOPL is {}", instruction.name,
                       iopl);
  }
  if (instruction.is(kCli, kSti)) {
    return fmt::format("{} requires CPL <= IOPL: CPL is {}, IOPL {}", instruction.name, cpl, iopl);
  }
  if (instruction.is(kIn, kOut, kInsb, kInsw, kInsd, kOutsb, kOutsw, kOutsd)) {
    return fmt::format(
        "{} requires CPL <= IOPL (CPL is {}, IOPL {}) or a 0 in the TSS's I/O permission bitmap",
        instruction.name, cpl, iopl);
  }
  return {};
}

// In 64-bit code LGDT and LIDT take a limit of 2 bytes and a base of 8 (SDM vol. 2, LGDT/LIDT).
std::string cause_of_table_register(const Fault& fault, const DecodedInstruction& instruction) {
  const Operand* const memory = instruction.memory();
  if (!instruction.is(kLgdt, kLidt) || memory == nullptr) return {};
  if (cpu_mode(fault.registers) != CpuMode::kLong64) return {};
  const std::optional<std::uint64_t> base = read_number(fault.read, memory->linear + 2, 8);
  if (!base || is_valid_linear_address(paging_mode(fault.registers), Gva{*base})) return {};
  return fmt::format(
      "the base that {} reads, {:#x}, is not canonical: in 64-bit code it has 8 bytes",
      instruction.name, *base);
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
      return fmt::format("the {} at {}:{:#x} {} beyond the limit of {}, {:#x}",
                         counted(memory.size, "byte"), name, memory.value,
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

// What the address of an SSE, AVX or XSAVE operand has to be a multiple of; 1 for any address.
unsigned required_alignment(const DecodedInstruction& instruction, const Operand& memory) {
  using Unit = DecodedInstruction::Unit;
  if (instruction.is(kVmovapd, kVmovaps, kVmovdqa, kVmovntdq, kVmovntdqa, kVmovntpd, kVmovntps)) {
    return memory.size;
  }
  if (instruction.unit == Unit::kXsave) return 64;
  if (instruction.is(kFxsave, kFxsave64, kFxrstor, kFxrstor64)) return 16;
  const bool takes_any = instruction.is(kMovups, kMovupd, kMovdqu, kLddqu, kPcmpestri, kPcmpestrm,
                                        kPcmpistri, kPcmpistrm);
  return instruction.unit == Unit::kSse && !takes_any && memory.size == 16 ? 16 : 1;
}

std::string cause_of_alignment(const DecodedInstruction& instruction) {
  const Operand* const memory = instruction.memory();
  if (memory == nullptr) return {};
  const unsigned alignment = required_alignment(instruction, *memory);
  if (memory->linear.is_aligned(alignment)) return {};
  return fmt::format("{} requires an address that is a multiple of {}, not {}", instruction.name,
                     alignment, to_string(memory->linear));
}

// Where a near jump, call or return goes: memory that it reads, or a register.
std::optional<std::uint64_t> target_of(const Fault& fault, const DecodedInstruction& instruction) {
  if (const Operand* const operand = instruction.first(Operand::Kind::kRegister)) {
    return operand->value;
  }
  const Operand* const memory =
      instruction.is(kRet) ? instruction.memory() : instruction.first(Operand::Kind::kMemory);
  if (memory == nullptr) return std::nullopt;
  return read_number(fault.read, memory->linear, 8);
}

std::string cause_of_target(const Fault& fault, const DecodedInstruction& instruction) {
  if (!instruction.is(kJmp, kCall, kRet)) return {};
  if (cpu_mode(fault.registers) != CpuMode::kLong64) return {};
  const std::optional<std::uint64_t> target = target_of(fault, instruction);
  if (!target || is_valid_linear_address(paging_mode(fault.registers), Gva{*target})) return {};
  return fmt::format("{} goes to {:#x}, which is not canonical", instruction.name, *target);
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

}  // namespace hltest::internal
