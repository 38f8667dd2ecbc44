#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "x86/causes/fault_cause.h"
#include "x86/code/decoded_instruction.h"

/// The parts of `fault_cause`, by what the processor looked at. Each is empty where it has nothing
/// to say.
namespace hltest {

/// The instruction at RIP, and where it was; nothing where it is none or can't be read.
using MaybeInstruction = std::optional<DecodedInstruction>;

/// What an IRET takes off the stack for CS and, where it takes one, SS; nothing for any other
/// instruction, and where the stack can't be read.
struct PoppedSelectors {
  std::uint16_t cs = 0;
  std::uint16_t ss = 0;
};
std::optional<PoppedSelectors> popped_by_iret(const Fault& fault,
                                              const DecodedInstruction& instruction);

/// #PF: the entry that stopped the walk.
std::string cause_of_page_fault(const Fault& fault);

/// #GP, #NP, #SS, #TS with an error code that names a selector or a gate: the descriptor, and the
/// rule that it breaks.
std::string cause_of_selector(const Fault& fault, const MaybeInstruction& instruction);

/// #GP and #SS without one: privilege, limits, canonical addresses, control registers, MSRs.
std::string cause_of_protection(const Fault& fault, const MaybeInstruction& instruction);

/// Of those, a MOV to a control register, and RDMSR or WRMSR.
std::string cause_of_control_register(const Fault& fault, const DecodedInstruction& instruction);
std::string cause_of_msr(const Registers& registers, const DecodedInstruction& instruction);

/// The faults that are an instruction's own: #DE, #DB, #BP, #OF, #BR, #UD, #NM, #MF, #AC, #XM.
std::string cause_of_instruction(const Fault& fault, const MaybeInstruction& instruction);

}  // namespace hltest
