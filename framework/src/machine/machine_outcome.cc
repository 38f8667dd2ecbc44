// What came of a machine's run; machine.cc is the run.
#include "machine/explanation.h"
#include "machine/halt_meaning.h"
#include "machine/loop_sample.h"
#include "machine/machine.h"
#include "machine/vcpu_state.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest {
namespace {

Gva handlers(CpuMode start_mode) {
  const Gpa region = start_mode == CpuMode::kReal16 ? kRomRegion : kSystemRegion;
  return Gva{(region + kHandlersOffset).value()};
}

}  // namespace

StopReason Machine::explain_internal_error(const kvm::InternalErrorExit& error) const {
  if (error.suberror != KVM_INTERNAL_ERROR_EMULATION) {
    return InternalError{.suberror = error.suberror, .data = error.data};
  }
  const Registers registers = read_registers(vm_->vcpu());
  const Gva rip = registers.code_address();
  const SystemTables tables = tables_of(registers);
  const std::optional<Gpa> gpa = tables.translate(rip);
  if (gpa.has_value() && !memory_.is_backed(*gpa)) return UnbackedFetch{*gpa};
  const auto bytes = tables.read(rip, kLongestInstruction);
  if (bytes.empty()) return HostLimit{};
  // Some KVMs give up at an exception whose IDT is where there is no memory.
  const std::optional<Gpa> idt = tables.translate(registers.idt.base);
  if (idt.has_value() && !memory_.is_backed(*idt)) return TripleFault{};
  if (!decode_instruction(bytes, registers).has_value()) {
    // KVM's emulator gives up where the processor would have raised #UD.
    return Exception{
        .vector = Vector::kInvalidOpcode, .cs = registers.cs.selector, .rip = registers.rip};
  }
  Instruction instruction = disassemble_one(bytes, rip, cpu_mode(registers));
  return HostLimit{.instruction = std::move(instruction.text),
                   .bytes = std::move(instruction.bytes)};
}

void Machine::tell(const FlatImage& image, const Registers& first, Outcome& outcome) {
  outcome.guest = image.name();
  outcome.image_start = image.load_address();
  outcome.image_size = image.bytes().size();
  outcome.image = image;
  outcome.registers = read_registers(vm_->vcpu());
  if (std::holds_alternative<Halt>(outcome.stop) && halted_where_it_seems(outcome.registers)) {
    const Registers at_exit = outcome.registers;
    const LinearReader read = [tables = tables_of(at_exit)](Gva gva, std::size_t count) {
      return tables.read(gva, count);
    };
    HaltMeaning meaning = interpret_halt(at_exit, first, handlers(mode_), read);
    outcome.stop = std::move(meaning.reason);
    outcome.registers = meaning.registers;
    // The handlers for real mode are no protected mode's: the guest has run into their ROM.
    if (mode_ == CpuMode::kReal16 && at_exit.cr0.pe() &&
        std::holds_alternative<Exception>(outcome.stop)) {
      outcome.registers = at_exit;
      outcome.registers.rip -= 1;
      outcome.stop = UnbackedFetch{Gpa{outcome.registers.code_address().value()}};
    }
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    // kvm_amd gives the vCPU its RESET state, which starts at F000:FFF0 (SDM vol. 3, table 10-1).
    fault->registers_were_reset =
        outcome.registers.rip == 0xFFF0 && outcome.registers.cs.selector == 0xF000;
  }
  outcome.start_mode = mode_name(first);
  explain_stop(outcome, memory_, physical_bits_);
  // The last of all: the guest goes on while it is watched.
  if (auto* const timeout = std::get_if<Timeout>(&outcome.stop)) {
    timeout->loop = watch_loop(vm_->vcpu(), tables_of(outcome.registers), outcome.ports);
  }
}

// A test may have mapped something else to the handlers' address.
bool Machine::halted_where_it_seems(const Registers& registers) const {
  const Gva hlt = registers.code_address() - 1;
  return tables_of(registers).translate(hlt) == Gpa{hlt.value()};
}

SystemTables Machine::tables_of(const Registers& registers) const {
  return {registers, memory_, physical_bits_};
}

}  // namespace hltest
