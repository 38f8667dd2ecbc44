#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "x86/causes/fault_cause.h"
#include "x86/code/decoded_instruction.h"

/// The parts of `fault_cause`, by what the processor looked at. Each returns an empty string if it
/// finds nothing wrong.
namespace hltest::internal {

/// The instruction at RIP; nothing if the bytes there are not one or can't be read.
using MaybeInstruction = std::optional<DecodedInstruction>;

/// #PF: the entry that stopped the walk.
std::string cause_of_page_fault(const Fault& fault);

/// #GP, #NP and #SS with an error code that names a selector or a gate, and #TS: the descriptor,
/// and the rule that it breaks.
std::string cause_of_selector(const Fault& fault, const MaybeInstruction& instruction);

/// #GP and #SS without one: privilege, limits, canonical addresses, control registers, MSRs.
std::string cause_of_protection(const Fault& fault, const MaybeInstruction& instruction);

/// Of those, a null selector, which no error code can name.
std::string cause_of_null_selector(const Fault& fault, const DecodedInstruction& instruction);

/// Of those, a MOV to a control register, and RDMSR or WRMSR.
std::string cause_of_control_register(const Fault& fault, const DecodedInstruction& instruction);
std::string cause_of_msr(const Registers& registers, const DecodedInstruction& instruction);

/// The faults that are an instruction's own: #DE, #DB, #BP, #OF, #BR, #UD, #NM, #MF, #AC, #XM.
std::string cause_of_instruction(const Fault& fault, const MaybeInstruction& instruction);

}  // namespace hltest::internal
