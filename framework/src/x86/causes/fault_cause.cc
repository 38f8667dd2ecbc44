#include "x86/causes/fault_cause.h"
#include "x86/causes/causes.h"
#include "x86/code/disassembly.h"
#include "x86/registers/error_code.h"

namespace hltest::internal {

std::string fault_cause(const Fault& fault) {
  const Gva rip = fault.registers.code_address();
  const MaybeInstruction instruction =
      decode_instruction(fault.read(rip, kLongestInstruction), fault.registers);
  switch (fault.vector) {
    case Vector::kPageFault:
      return cause_of_page_fault(fault);
    case Vector::kInvalidTss:
    case Vector::kSegmentNotPresent:
    case Vector::kStackFault:
    case Vector::kGeneralProtection: {
      const SelectorErrorCode code{fault.error_code.value_or(0)};
      const bool names_something = code.selector() != 0 || code.idt();
      return names_something || fault.vector == Vector::kInvalidTss
                 ? cause_of_selector(fault, instruction)
                 : cause_of_protection(fault, instruction);
    }
    default:
      return cause_of_instruction(fault, instruction);
  }
}

}  // namespace hltest::internal
