#include <hltest/machine/explanation.h>
#include <hltest/x86/delivery.h>
#include <hltest/x86/fault_cause.h>

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

}  // namespace

std::string cause_of(const Exception& exception, const SystemTables& tables,
                     const GuestMemory& memory) {
  if (exception.software) return {};
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
  if (auto* const exception = std::get_if<Exception>(&outcome.stop)) {
    exception->cause = cause_of(*exception, tables, memory);
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    if (!fault->first_fault) fault->undelivered = obstacle_to(Vector::kDoubleFault, tables);
  }
  const std::optional<Gpa> stopped_at = tables.translate(outcome.stop_address());
  const bool in_image = stopped_at && *stopped_at >= outcome.image_start &&
                        *stopped_at - outcome.image_start < outcome.image_size;
  outcome.stop_offset.reset();
  if (in_image) outcome.stop_offset = *stopped_at - outcome.image_start;
  outcome.stopped_outside_image = !in_image && !std::holds_alternative<SystemCall>(outcome.stop);
  outcome.code = code_window(tables, outcome);
}

}  // namespace hltest
