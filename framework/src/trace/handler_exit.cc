#include "trace/handler_exit.h"
#include <hltest/memory_layout.h>
#include "x86/code/disassembly.h"

namespace hltest {
namespace {

Gva handlers_of(const RecordedRun& run) {
  const bool real = run.recording->start_mode == CpuMode::kReal16;
  return Gva{((real ? kRomRegion : kSystemRegion) + kHandlersOffset).value()};
}

bool is_handler(const RecordedRun& run, Gva at) {
  return at >= handlers_of(run) && at - handlers_of(run) <= kSysenterOffset;
}

// The vector that an instruction asks for.
std::optional<std::uint64_t> vector_of_interrupt(const std::vector<std::uint8_t>& code) {
  if (code.size() < 2) return std::nullopt;
  switch (code[0]) {
    case 0xCD:  // INT n
      return code[1];
    case 0xCC:  // INT3
      return 3;
    case 0xCE:  // INTO
      return 4;
    case 0xF1:  // INT1
      return 1;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool has_come_to_a_handler(const RecordedRun& run, const Step& before, Registers& now) {
  const Gva next = now.code_address();
  if (const auto vector = vector_of_interrupt(before.code);
      vector && next == handlers_of(run) + *vector) {
    now.rip += 1;
    return true;
  }
  const Gva came_from = before.before.code_address();
  // An instruction can end behind the first of them without having come from a fault.
  const bool came_by_itself =
      next - came_from <= kLongestInstruction && !is_handler(run, came_from);
  return is_handler(run, next - 1) && !came_by_itself;
}

std::optional<HaltMeaning> meaning_of(const RecordedRun& run, const ReplayedGuest& guest,
                                      const Registers& at_end) {
  if (!is_handler(run, at_end.code_address() - 1)) return std::nullopt;
  const LinearReader read = [tables = guest.tables(at_end)](Gva gva, std::size_t count) {
    return tables.read(gva, count);
  };
  return interpret_halt(at_end, run.recording->registers, handlers_of(run), read);
}

}  // namespace hltest
