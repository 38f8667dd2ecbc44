// What came of a machine's run; machine.cc is the run.
#include <hltest/machine/halt_meaning.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/vcpu_state.h>
#include <hltest/x86/disassembly.h>

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
  const SystemTables tables{registers, memory_};
  const std::optional<Gpa> gpa = tables.translate(rip);
  if (gpa.has_value() && !memory_.is_backed(*gpa)) return UnbackedFetch{*gpa};
  const auto bytes = tables.read(rip, kLongestInstruction);
  if (bytes.empty()) return HostLimit{};
  Instruction instruction = disassemble_one(bytes, rip, cpu_mode(registers));
  return HostLimit{.instruction = std::move(instruction.text),
                   .bytes = std::move(instruction.bytes)};
}

void Machine::tell(const FlatImage& image, const Registers& first, Outcome& outcome) const {
  outcome.guest = image.name();
  outcome.image_start = image.load_address();
  outcome.image_size = image.bytes().size();
  outcome.registers = read_registers(*vcpu_);
  if (std::holds_alternative<Halt>(outcome.stop)) {
    const Registers at_exit = outcome.registers;
    const LinearReader read = [tables = SystemTables{at_exit, memory_}](
                                  Gva gva, std::size_t count) { return tables.read(gva, count); };
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
  outcome.code = code_window(image, outcome.registers);
  const SystemTables tables{outcome.registers, memory_};
  const std::optional<Gpa> stopped_at = tables.translate(outcome.stop_address());
  outcome.stopped_outside_image = !std::holds_alternative<SystemCall>(outcome.stop) &&
                                  (!stopped_at || *stopped_at < outcome.image_start ||
                                   *stopped_at - outcome.image_start >= outcome.image_size);
}

CodeWindow Machine::code_window(const FlatImage& image, const Registers& registers) const {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kAfter = 48;
  const Gva rip = registers.code_address();
  const Gva image_start{image.load_address().value()};
  const Gva image_end = image_start + image.bytes().size();
  const bool near_image_start = rip >= image_start && rip - image_start < kBefore;
  const Gva start =
      near_image_start ? image_start : Gva{rip.value() - std::min(kBefore, rip.value())};
  // What lies behind the image is not code, and would only be noise; nor is the end of a HLT.
  const std::uint64_t after =
      rip >= image_start && rip <= image_end ? std::min(kAfter, image_end - rip) : kAfter;
  const SystemTables tables{registers, memory_};
  CodeWindow window{.start = start,
                    .bytes = tables.read(start, rip - start + after),
                    .starts_at_instruction = near_image_start && image.entry() == image_start};
  if (window.bytes.size() < rip - start) {  // the page before RIP can't be read
    window = {.start = rip, .bytes = tables.read(rip, after), .starts_at_instruction = true};
  }
  return window;
}

}  // namespace hltest
