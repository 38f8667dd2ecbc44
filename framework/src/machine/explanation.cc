#include "machine/explanation.h"
#include "x86/causes/delivery.h"
#include "x86/causes/fault_cause.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <algorithm>

namespace hltest {
namespace {

LinearReader reader(const SystemTables& tables) {
  return [&tables](Gva gva, std::size_t count) { return tables.read(gva, count); };
}

CodeWindow code_window(const SystemTables& tables, const Outcome& outcome) {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kAfter = 48;
  constexpr std::uint64_t kPage = 4 * kKiB;
  const Gva stop = outcome.stop_address();

  std::uint64_t before = std::min(kBefore, stop.value());
  std::uint64_t after = kAfter;
  bool starts_at_instruction = false;
  if (const std::optional<std::uint64_t> offset = outcome.stop_offset) {
    // What lies round the image is not code, and would only be noise.
    before = std::min(before, *offset);
    after = std::min(after, outcome.image_size - *offset);
    starts_at_instruction = before == *offset && outcome.image->entry() == stop - *offset;
  }
  if (!tables.translate(stop - before)) {  // the page before need not be there
    before = std::min(before, stop.value() % kPage);
    starts_at_instruction = false;
  }
  return {.start = stop - before,
          .bytes = tables.read(stop - before, before + after),
          .starts_at_instruction = starts_at_instruction};
}

// PG set in CR0 outside IA-32e mode, and nothing wrong with it.
bool begins_legacy_paging(const Exception& exception, const SystemTables& tables) {
  const Registers& registers = tables.registers();
  const auto bytes = tables.read(registers.code_address(), kLongestInstruction);
  const auto instruction = decode_instruction(bytes, registers);
  if (exception.vector != Vector::kGeneralProtection || exception.error_code != 0U) return false;
  if (registers.cr0.pg() || registers.efer.lme() || !instruction ||
      !instruction->is(Mnemonic::kMov)) {
    return false;
  }
  bool writes_cr0 = false;
  bool sets_pg = false;
  for (const Operand& operand : instruction->operands) {
    writes_cr0 = writes_cr0 || (operand.is_written && operand.name == "cr0");
    sets_pg = sets_pg || (operand.is_read && Cr0{operand.value}.pg());
  }
  return writes_cr0 && sets_pg;
}

// Code for 16, 32 or 64 bits that the processor takes for another: the far jump is missing, or goes
// to the wrong kind of segment.
std::string code_of_another_size(const Outcome& outcome) {
  if (!outcome.image || !outcome.stop_offset) return {};
  const SourceMap map = outcome.image->source_map();
  if (!map.line_at(*outcome.stop_offset)) return {};  // bytes without a source say nothing
  std::optional<unsigned> assembled = map.bits_at(*outcome.stop_offset);
  const std::shared_ptr<const Recording> recording = outcome.recording.lock();
  // A source that does not say it is assembled for the mode it starts in.
  if (!assembled && recording != nullptr) assembled = code_bits(recording->start_mode);
  const unsigned executed = code_bits(cpu_mode(outcome.registers));
  if (!assembled || assembled == executed) return {};
  return fmt::format(
      "the code there was assembled for {} bits, and CS ({:#x}, L = {}, D = {}) makes the "
      "processor execute it as {}-bit code",
      *assembled, outcome.registers.cs.selector, outcome.registers.cs.l ? 1 : 0,
      outcome.registers.cs.db ? 1 : 0, executed);
}

// An INT n that nobody of the guest's answers.
std::string cause_of_interrupt(const Exception& exception, const SystemTables& tables) {
  const auto number = static_cast<unsigned>(exception.vector);
  constexpr unsigned kFirstService = 0x10;
  constexpr unsigned kLastService = 0x1A;
  if (!tables.registers().cr0.pe() && number >= kFirstService && number <= kLastService) {
    return fmt::format("INT {:#x} is a BIOS service, and there is no BIOS here", number);
  }
  return fmt::format("the guest has no handler of its own for INT {:#x}", number);
}

}  // namespace

StopReason explained(Exception exception, const SystemTables& tables, const GuestMemory& memory) {
  exception.cause = cause_of(exception, tables, memory);
  if (!exception.cause.empty() || !begins_legacy_paging(exception, tables)) return exception;
  const Gva at = tables.registers().code_address();
  const Instruction instruction =
      disassemble_one(tables.read(at, kLongestInstruction), at, cpu_mode(tables.registers()));
  return HostLimit{.instruction = instruction.text, .bytes = instruction.bytes};
}

std::string cause_of(const Exception& exception, const SystemTables& tables,
                     const GuestMemory& memory) {
  if (exception.software) return cause_of_interrupt(exception, tables);
  return fault_cause(
      {.vector = exception.vector,
       .error_code = exception.error_code,
       .address = exception.address.value_or(Gva{0}),
       .registers = tables.registers(),
       .walk = tables.walker(),
       .read = reader(tables),
       .read_physical = [&memory](Gpa gpa, std::size_t count) -> std::vector<std::uint8_t> {
         if (!memory.is_backed(gpa) || !memory.is_backed(gpa + (count - 1))) return {};
         return memory.read_bytes(gpa, count);
       }});
}

std::string obstacle_to(Vector vector, const SystemTables& tables) {
  return obstacle_to_delivery(vector, tables.registers(), tables.walker(), reader(tables));
}

void explain_stop(Outcome& outcome, const GuestMemory& memory, unsigned physical_bits) {
  if (outcome.registers_are_lost()) return;
  outcome.end_mode = mode_name(outcome.registers);
  const SystemTables tables{outcome.registers, memory, physical_bits};
  if (const auto* const exception = std::get_if<Exception>(&outcome.stop)) {
    outcome.stop = explained(*exception, tables, memory);
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    if (!fault->first_fault) fault->undelivered = obstacle_to(Vector::kDoubleFault, tables);
  }
  const std::optional<Gpa> stopped_at = tables.translate(outcome.stop_address());
  outcome.stop_offset = stopped_at ? outcome.image_offset(*stopped_at) : std::nullopt;
  outcome.stopped_outside_image =
      !outcome.stop_offset && !std::holds_alternative<SystemCall>(outcome.stop);
  outcome.code = code_window(tables, outcome);
  // KVM may have given up with CS loaded, and RIP not.
  const bool is_clear = !std::holds_alternative<HostLimit>(outcome.stop);
  outcome.remark = is_clear ? code_of_another_size(outcome) : "";
}

void place_in_image(Outcome& outcome, Gpa gpa) {
  const auto image = outcome.image->bytes();
  constexpr std::size_t kAfter = 48;
  outcome.stop_offset = gpa - outcome.image_start;
  outcome.stopped_outside_image = false;
  const auto code = image.subspan(*outcome.stop_offset);
  outcome.code = {.start = outcome.stop_address(),
                  .bytes = {code.begin(), code.begin() + static_cast<std::ptrdiff_t>(
                                                             std::min(kAfter, code.size()))},
                  .starts_at_instruction = true};
  outcome.remark = code_of_another_size(outcome);
}

}  // namespace hltest
