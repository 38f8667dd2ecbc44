#include "x86/causes/loaded_selectors.h"
#include <hltest/x86/cpu_mode.h>
#include "x86/registers/read_number.h"

#include <algorithm>
#include <string_view>

namespace hltest::internal {
namespace {

using enum Mnemonic;

// The registers that are loaded by a selector.
constexpr std::string_view kSegments[] = {"cs", "ss", "ds", "es", "fs", "gs"};

bool loads_any(const DecodedInstruction& instruction) {
  return std::ranges::any_of(kSegments, [&](auto name) { return loads(instruction, name); });
}

}  // namespace

bool loads(const DecodedInstruction& instruction, std::string_view segment_register) {
  return std::ranges::any_of(instruction.operands, [&](const Operand& operand) {
    return operand.kind == Operand::Kind::kRegister && operand.is_written &&
           operand.name == segment_register;
  });
}

std::optional<PoppedSelectors> popped_selectors(const Fault& fault,
                                                const DecodedInstruction& instruction) {
  const Registers& registers = fault.registers;
  const bool is_iret = instruction.is(kIret, kIretd, kIretq);
  if (!is_iret && !instruction.is(kRetFar)) return std::nullopt;
  if (!registers.cr0.pe() || registers.rflags.vm()) return std::nullopt;

  const Gva top = stack_address(registers);
  const std::uint64_t size = instruction.operand_size;
  const auto selector_at = [&](std::uint64_t offset) -> std::optional<std::uint16_t> {
    const auto number = read_number(fault.read, top + offset, 2);
    return number ? std::optional{static_cast<std::uint16_t>(*number)} : std::nullopt;
  };
  const std::optional<std::uint16_t> cs = selector_at(size);
  if (!cs) return std::nullopt;
  // IRETQ pops SS at every return; otherwise only a return to an outer level does.
  const bool to_outer_level = (*cs & 3U) > registers.cpl();
  const bool pops_ss = to_outer_level || (is_iret && cpu_mode(registers) == CpuMode::kLong64);
  if (!pops_ss) return PoppedSelectors{.cs = *cs, .ss = registers.ss.selector};

  // EFLAGS stands before ESP and SS for IRET; for RETF, the bytes that its operand releases.
  const Operand* const released = instruction.first(Operand::Kind::kImmediate);
  const std::uint64_t ss_at = is_iret ? 4 * size : 3 * size + (released ? released->value : 0);
  return PoppedSelectors{.cs = *cs, .ss = selector_at(ss_at).value_or(0), .pops_ss = true};
}

std::optional<std::uint16_t> loaded_selector(const Fault& fault,
                                             const DecodedInstruction& instruction) {
  const bool is_far = instruction.is(kCallFar, kJmpFar);
  if (!is_far && !instruction.is(kLtr, kLldt) && !loads_any(instruction)) return std::nullopt;
  if (const Operand* const pointer = instruction.first(Operand::Kind::kFarPointer)) {
    return pointer->selector;
  }
  if (const Operand* const memory = instruction.memory()) {
    // A far pointer in memory ends in its selector; MOV, POP, LTR and LLDT read a selector alone.
    const bool is_pointer = is_far || instruction.is(kLds, kLes, kLfs, kLgs, kLss);
    const auto number =
        read_number(fault.read, memory->linear + (is_pointer ? memory->size - 2 : 0), 2);
    return number ? std::optional{static_cast<std::uint16_t>(*number)} : std::nullopt;
  }
  for (const Operand& operand : instruction.operands) {
    if (operand.kind == Operand::Kind::kRegister && operand.is_read && !operand.is_hidden) {
      return static_cast<std::uint16_t>(operand.value);
    }
  }
  return std::nullopt;
}

}  // namespace hltest::internal
