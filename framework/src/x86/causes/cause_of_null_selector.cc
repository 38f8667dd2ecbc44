#include <hltest/x86/cpu_mode.h>
#include "x86/causes/causes.h"
#include "x86/causes/loaded_selectors.h"

#include <fmt/format.h>

#include <string_view>

namespace hltest::internal {
namespace {

using enum Mnemonic;

bool is_null(std::uint16_t selector) { return without_rpl(selector) == 0; }

std::string null_load(std::uint16_t selector, std::string_view name) {
  return fmt::format("selector {:#x} is a null selector (index 0), which {} can't be loaded with",
                     selector, name);
}

std::string null_pop(const DecodedInstruction& instruction, std::uint16_t selector,
                     std::string_view name, std::string_view hint) {
  return fmt::format("{} pops {:#x} into {}, a null selector{}", instruction.name, selector, name,
                     hint);
}

std::string cause_of_popped(const Registers& registers, const DecodedInstruction& instruction,
                            const PoppedSelectors& popped) {
  const bool is_64_bit = cpu_mode(registers) == CpuMode::kLong64;
  const char* const hint =
      is_64_bit && instruction.is(kIretd) ? "; 64-bit code returns by IRETQ" : "";
  if (is_null(popped.cs)) return null_pop(instruction, popped.cs, "CS", hint);
  // 64-bit code at CPL 0 to 2 may return to a null SS.
  const bool allows_null = is_64_bit && (popped.cs & 3U) != 3;
  if (popped.pops_ss && is_null(popped.ss) && !allows_null) {
    return null_pop(instruction, popped.ss, "SS", hint);
  }
  return {};
}

}  // namespace

std::string cause_of_null_selector(const Fault& fault, const DecodedInstruction& instruction) {
  const Registers& registers = fault.registers;
  if (!registers.cr0.pe() || registers.rflags.vm()) return {};
  if (const auto popped = popped_selectors(fault, instruction)) {
    return cause_of_popped(registers, instruction, *popped);
  }
  const std::optional<std::uint16_t> selector = loaded_selector(fault, instruction);
  if (!selector || !is_null(*selector)) return {};
  if (instruction.is(kJmpFar, kCallFar)) return null_load(*selector, "CS");
  if (instruction.is(kLtr)) return null_load(*selector, "TR");
  if (!loads(instruction, "ss")) return {};  // LDTR and data segment registers may be null
  const bool is_64_bit = cpu_mode(registers) == CpuMode::kLong64;
  if (is_64_bit && registers.cpl() != 3 && (*selector & 3U) == registers.cpl()) return {};
  const bool is_compatibility = registers.efer.lma() && !is_64_bit;
  return null_load(*selector, "SS") +
         (is_compatibility ? " outside 64-bit code, and CS.L is 0" : "");
}

}  // namespace hltest::internal
