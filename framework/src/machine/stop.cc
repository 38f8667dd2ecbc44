#include "machine/stop.h"

#include <utility>

#include "machine/cause.h"
#include "vm/halt_meaning.h"
#include "x86/causes/fault_cause.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

HostLimit host_limit(const GuestTables& tables) {
  const Registers& registers = tables.registers();
  const Gva at = registers.code_address();
  const auto code = tables.read(at, kLongestInstruction);
  if (code.empty()) return {};
  Instruction instruction = disassemble_one(code, at, cpu_mode(registers));
  return {.instruction = std::move(instruction.text), .bytes = std::move(instruction.bytes)};
}

StopReason explain_internal_error(const kvm::InternalErrorExit& error, const GuestTables& tables) {
  if (error.suberror != kvm::InternalErrorExit::kEmulation) {
    return InternalError{.suberror = error.suberror, .data = error.data};
  }
  const Registers& registers = tables.registers();
  const std::optional<Gpa> gpa = tables.translate(registers.code_address());
  if (gpa.has_value() && !tables.is_backed(*gpa)) return UnbackedFetch{*gpa};
  const auto code = tables.read(registers.code_address(), kLongestInstruction);
  if (code.empty()) return HostLimit{};
  // Some KVMs give up at an exception whose IDT is where there is no memory.
  const std::optional<Gpa> idt = tables.translate(registers.idt.base);
  if (idt.has_value() && !tables.is_backed(*idt)) return TripleFault{};
  if (raises_by_itself(code, cpu_mode(registers), Vector::kInvalidOpcode)) {
    // Its #UD could not be delivered either.
    return Exception{
        .vector = Vector::kInvalidOpcode, .cs = registers.cs.selector, .rip = registers.rip};
  }
  return host_limit(tables);
}

// PG set in CR0 outside IA-32e mode, and nothing wrong with it: some KVMs refuse 32-bit and PAE
// paging with a #GP.
bool is_refused_paging(const Exception& exception, const GuestTables& tables) {
  const Registers& registers = tables.registers();
  if (exception.vector != Vector::kGeneralProtection || exception.error_code != 0U) return false;
  if (registers.cr0.pg() || registers.efer.lme() || !registers.cr0.pe()) return false;
  const auto code = tables.read(registers.code_address(), kLongestInstruction);
  const auto instruction = decode_instruction(code, registers);
  if (!instruction || !instruction->is(Mnemonic::kMov)) return false;
  bool writes_cr0 = false;
  bool sets_pg = false;
  for (const Operand& operand : instruction->operands) {
    writes_cr0 = writes_cr0 || (operand.is_written && operand.name == "cr0");
    sets_pg = sets_pg || (operand.is_read && Cr0{operand.value}.pg());
  }
  return writes_cr0 && sets_pg &&
         cause_of(exception.vector, exception.error_code, {}, tables).empty();
}

struct StopOf {
  const Guest& guest;
  std::chrono::milliseconds timeout;
  Registers& registers;

  StopReason operator()(const kvm::HltExit&) const {
    HaltMeaning meaning = interpret_halt(guest);
    registers = meaning.registers;
    if (const auto* const exception = std::get_if<Exception>(&meaning.reason)) {
      const GuestTables tables = guest.tables(registers);
      if (is_refused_paging(*exception, tables)) return host_limit(tables);
    }
    return std::move(meaning.reason);
  }
  StopReason operator()(const kvm::ShutdownExit&) const {
    // kvm_amd gives the vCPU its RESET state, which starts at F000:FFF0 (SDM vol. 3, table 10-1).
    return TripleFault{.registers_were_reset =
                           registers.rip == 0xFFF0 && registers.cs.selector == kRomSegment};
  }
  StopReason operator()(const kvm::InternalErrorExit& error) const {
    return explain_internal_error(error, guest.tables(registers));
  }
  StopReason operator()(const kvm::FailEntryExit& failure) const {
    return EntryFailure{failure.hardware_entry_failure_reason};
  }
  StopReason operator()(const kvm::UnknownExit& exit) const { return UnknownExit{exit.reason}; }
  StopReason operator()(const TimeUp&) const { return Timeout{.limit = timeout}; }
  StopReason operator()(const Stopped& stopped) const {
    return ConditionMet{.condition = stopped.condition,
                        .instruction_length = stopped.instruction_length};
  }
  // Limits that a machine's run does not have.
  StopReason operator()(const AccessesDone&) const { return ConditionMet{"enough accesses"}; }
  StopReason operator()(const InstructionsDone&) const {
    return ConditionMet{"enough instructions"};
  }
  StopReason operator()(const Refused&) const { return ConditionMet{"an access was refused"}; }
  StopReason operator()(const SetsTrapFlag&) const { return ConditionMet{"RFLAGS.TF was set"}; }
};

}  // namespace

void take_end(const Ending& ending, std::chrono::milliseconds timeout, const Guest& guest,
              Outcome& outcome) {
  outcome.registers = guest.registers();
  outcome.stop = std::visit(
      StopOf{.guest = guest, .timeout = timeout, .registers = outcome.registers}, ending);
  if (!outcome.registers_are_lost()) outcome.mode = cpu_mode(outcome.registers);
}

}  // namespace hltest::internal
