#pragma once

#include <cstdint>
#include <optional>

#include "x86/causes/fault_cause.h"
#include "x86/code/decoded_instruction.h"

namespace hltest::internal {

/// What an IRET or a far return pops into CS and, where it pops one, SS; otherwise SS stays.
struct PoppedSelectors {
  std::uint16_t cs = 0;
  std::uint16_t ss = 0;
  bool pops_ss = false;
};

/// Nothing for any other instruction, outside protected mode, and where the stack can't be read.
std::optional<PoppedSelectors> popped_selectors(const Fault& fault,
                                                const DecodedInstruction& instruction);

/// The selector that a far jump or call, a load of a segment register, LTR or LLDT is given;
/// nothing for any other instruction, and where its memory can't be read.
std::optional<std::uint16_t> loaded_selector(const Fault& fault,
                                             const DecodedInstruction& instruction);

/// Whether the instruction loads this segment register (lower case) by a selector.
bool loads(const DecodedInstruction& instruction, std::string_view segment_register);

/// The selector without its RPL: what an error code names.
constexpr std::uint16_t without_rpl(std::uint16_t selector) {
  return static_cast<std::uint16_t>(selector & 0xFFFCU);
}

}  // namespace hltest::internal
