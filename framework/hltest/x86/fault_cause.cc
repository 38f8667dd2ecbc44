#include <hltest/x86/causes.h>
#include <hltest/x86/disassembly.h>
#include <hltest/x86/error_code.h>
#include <hltest/x86/fault_cause.h>

namespace hltest {

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
      return code.selector() != 0 || code.idt() ? cause_of_selector(fault, instruction)
                                                : cause_of_protection(fault, instruction);
    }
    default:
      return cause_of_instruction(fault, instruction);
  }
}

}  // namespace hltest
