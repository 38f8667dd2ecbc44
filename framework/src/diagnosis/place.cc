#include "diagnosis/place.h"

#include <fmt/format.h>

#include <algorithm>

#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

constexpr std::size_t kInstructionsAfter = 3;
constexpr std::uint64_t kBytesAfter = 48;

// Bytes of code, of which an instruction is known to begin at the first.
struct CodeWindow {
  Gva start{};
  std::vector<std::uint8_t> bytes{};
  bool starts_at_instruction = false;
};

CodeWindow code_window(const Outcome& outcome, const Diagnosis::Place& place,
                       const GuestTables& tables) {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kPage = 4 * kKiB;
  const Gva stop = place.address;
  std::uint64_t before = std::min(kBefore, stop.value());
  std::uint64_t after = kBytesAfter;
  bool starts_at_instruction = false;
  if (place.offset) {
    // What lies round the image is not code, and would only be noise.
    const std::uint64_t offset = *place.offset;
    before = std::min(before, offset);
    after = std::min<std::uint64_t>(after, outcome.image->bytes().size() - offset);
    starts_at_instruction = before == offset && outcome.image->entry() == stop - offset;
    // Without what comes before a change of `bits`, which was code of another mode.
    if (const auto start = outcome.image->source_map().code_start(offset, before)) {
      before = offset - *start;
      starts_at_instruction = true;
    }
  }
  if (!tables.translate(stop - before)) {  // the page before need not be there
    before = std::min(before, stop.value() % kPage);
    starts_at_instruction = false;
  }
  return {.start = stop - before,
          .bytes = tables.read(stop - before, before + after),
          .starts_at_instruction = starts_at_instruction};
}

CodeLine line_of(const Instruction& instruction) {
  return {
      .address = instruction.address, .bytes = instruction.bytes, .instruction = instruction.text};
}

}  // namespace

std::vector<CodeLine> code_around(const Outcome& outcome, const Diagnosis::Place& place,
                                  const GuestTables& tables, std::size_t before) {
  const CodeWindow code = code_window(outcome, place, tables);
  std::vector<CodeLine> lines;
  for (const Instruction& instruction :
       disassemble_around(code.bytes, code.start, code.starts_at_instruction, place.address,
                          cpu_mode(place.registers), before, kInstructionsAfter)) {
    lines.push_back(line_of(instruction));
  }
  return lines;
}

Diagnosis::Place place_of(const Outcome& outcome, const StopReason& stop,
                          const GuestTables& tables) {
  const Registers& registers = tables.registers();
  Diagnosis::Place place{.address = stop_address(stop, registers),
                         .registers = registers,
                         .mode = mode_name(registers)};
  const std::optional<Gpa> gpa = tables.translate(place.address);
  if (gpa && outcome.image) place.offset = outcome.image->offset_of(*gpa);
  if (gpa) place.source = outcome.source_at(*gpa);
  return place;
}

void place_in_image(const Outcome& outcome, std::uint64_t offset, Diagnosis::Place& place) {
  const auto code = outcome.image->bytes().subspan(offset);
  place.offset = offset;
  place.source = outcome.source_at(outcome.image->load_address() + offset);
  place.code.clear();
  const auto shown = code.first(std::min<std::size_t>(kBytesAfter, code.size()));
  for (const Instruction& instruction :
       disassemble_around(shown, place.address, true, place.address, cpu_mode(place.registers), 0,
                          kInstructionsAfter)) {
    place.code.push_back(line_of(instruction));
  }
}

std::string code_of_another_size(const Outcome& outcome, const Diagnosis::Place& place) {
  if (!outcome.image || !place.offset) return {};
  const SourceMap& map = outcome.image->source_map();
  if (!map.line_at(*place.offset)) return {};  // bytes without a source say nothing
  // A source that does not say it is assembled for the mode it starts in.
  const unsigned assembled = map.bits_at(*place.offset).value_or(code_bits(outcome.start_mode()));
  const Segment& cs = place.registers.cs;
  const unsigned executed = code_bits(cpu_mode(place.registers));
  if (assembled == executed) return {};
  return fmt::format(
      "the code there was assembled for {} bits, and CS ({:#x}, L = {}, D = {}) makes the "
      "processor execute it as {}-bit code",
      assembled, cs.selector, cs.l ? 1 : 0, cs.db ? 1 : 0, executed);
}

}  // namespace hltest::internal
