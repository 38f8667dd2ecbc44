// What came of a machine's run; machine.cc is the run.
#include <hltest/machine/halt_meaning.h>
#include <hltest/machine/loop_sample.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/vcpu_state.h>
#include <hltest/x86/decoded_instruction.h>
#include <hltest/x86/delivery.h>
#include <hltest/x86/disassembly.h>
#include <hltest/x86/fault_cause.h>

#include <algorithm>

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
  const Registers registers = read_registers(*vcpu_);
  const Gva rip = registers.code_address();
  const SystemTables tables = tables_of(registers);
  const std::optional<Gpa> gpa = tables.translate(rip);
  if (gpa.has_value() && !memory_.is_backed(*gpa)) return UnbackedFetch{*gpa};
  const auto bytes = tables.read(rip, kLongestInstruction);
  if (bytes.empty()) return HostLimit{};
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
  outcome.registers = read_registers(*vcpu_);
  if (std::holds_alternative<Halt>(outcome.stop) && halted_where_it_seems(outcome.registers)) {
    const Registers at_exit = outcome.registers;
    const LinearReader read = [tables = tables_of(at_exit)](Gva gva, std::size_t count) {
      return tables.read(gva, count);
    };
    HaltMeaning meaning = interpret_halt(at_exit, first, handlers(mode_), read);
    outcome.stop = std::move(meaning.reason);
    outcome.registers = meaning.registers;
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    // kvm_amd gives the vCPU its RESET state, which starts at F000:FFF0 (SDM vol. 3, table 10-1).
    fault->registers_were_reset =
        outcome.registers.rip == 0xFFF0 && outcome.registers.cs.selector == 0xF000;
  }
  outcome.start_mode = mode_name(first);
  if (outcome.registers_are_lost()) return;
  outcome.end_mode = mode_name(outcome.registers);
  explain(outcome);
  const SystemTables tables = tables_of(outcome.registers);
  const std::optional<Gpa> stopped_at = tables.translate(outcome.stop_address());
  const bool in_image = stopped_at && *stopped_at >= outcome.image_start &&
                        *stopped_at - outcome.image_start < outcome.image_size;
  if (in_image) outcome.stop_offset = *stopped_at - outcome.image_start;
  outcome.stopped_outside_image = !in_image && !std::holds_alternative<SystemCall>(outcome.stop);
  outcome.code = code_window(image, outcome);
  // The last of all: the guest goes on while it is watched.
  if (auto* const timeout = std::get_if<Timeout>(&outcome.stop)) {
    timeout->loop = watch_loop(*vcpu_, tables, outcome.ports);
  }
}

void Machine::explain(Outcome& outcome) const {
  const SystemTables tables = tables_of(outcome.registers);
  const LinearReader read = [&tables](Gva gva, std::size_t count) {
    return tables.read(gva, count);
  };
  if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    fault->cause =
        obstacle_to_delivery(Vector::kDoubleFault, outcome.registers, tables.walker(), read);
  }
  auto* const exception = std::get_if<Exception>(&outcome.stop);
  if (exception == nullptr || exception->software) return;
  exception->cause = fault_cause(
      {.vector = exception->vector,
       .error_code = exception->error_code,
       .address = exception->address.value_or(Gva{0}),
       .registers = outcome.registers,
       .walk = tables.walker(),
       .read = read,
       .read_physical = [this](Gpa gpa, std::size_t count) -> std::vector<std::uint8_t> {
         if (!memory_.is_backed(gpa) || !memory_.is_backed(gpa + (count - 1))) return {};
         return memory_.read_bytes(gpa, count);
       }});
}

// A test may have mapped something else to the handlers' address.
bool Machine::halted_where_it_seems(const Registers& registers) const {
  const Gva hlt = registers.code_address() - 1;
  return tables_of(registers).translate(hlt) == Gpa{hlt.value()};
}

SystemTables Machine::tables_of(const Registers& registers) const {
  return {registers, memory_, physical_bits_};
}

CodeWindow Machine::code_window(const FlatImage& image, const Outcome& outcome) const {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kAfter = 48;
  constexpr std::uint64_t kPage = 4 * kKiB;
  const SystemTables tables = tables_of(outcome.registers);
  const Gva stop = outcome.stop_address();

  std::uint64_t before = std::min(kBefore, stop.value());
  std::uint64_t after = kAfter;
  bool starts_at_instruction = false;
  if (const std::optional<std::uint64_t> offset = outcome.stop_offset) {
    // What lies round the image is not code, and would only be noise.
    before = std::min(before, *offset);
    after = std::min(after, image.bytes().size() - *offset);
    starts_at_instruction = before == *offset && image.entry() == stop - *offset;
  }
  if (!tables.translate(stop - before)) {  // the page before need not be there
    before = std::min(before, stop.value() % kPage);
    starts_at_instruction = false;
  }
  return {.start = stop - before,
          .bytes = tables.read(stop - before, before + after),
          .starts_at_instruction = starts_at_instruction};
}

}  // namespace hltest
