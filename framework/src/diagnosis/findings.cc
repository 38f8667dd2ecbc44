#include "diagnosis/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "machine/cause.h"
#include "vm/halt_meaning.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The image's own bytes at a place in it.
Bytes original(const Outcome& outcome, std::uint64_t offset, std::size_t count) {
  const auto bytes = outcome.image->bytes();
  const auto part = bytes.subspan(offset, std::min<std::size_t>(count, bytes.size() - offset));
  return {part.begin(), part.end()};
}

std::string place_of(const Outcome& outcome, const Step& step) {
  const HistoryStep at = history_step(outcome, step, nullptr);
  std::string text = fmt::format("`{}` at {}", at.instruction, to_string(at.address));
  if (at.source) text += ", " + to_string(*at.source);
  return text;
}

// Sees which step changes some bytes.
class WriteWatch : public Observer {
 public:
  WriteWatch(Gpa gpa, std::size_t size) : gpa_(gpa), size_(size) {}
  void on_step(const Step& step, const Guest& guest) override {
    see(guest);
    last_ = step;
  }
  void see(const Guest& guest) {
    Bytes now = guest.memory().read(gpa_, size_);
    if (bytes_ && now != *bytes_) writer_ = last_;
    bytes_ = std::move(now);
  }
  [[nodiscard]] const std::optional<Step>& writer() const { return writer_; }

 private:
  Gpa gpa_;
  std::size_t size_;
  std::optional<Bytes> bytes_;
  std::optional<Step> last_;
  std::optional<Step> writer_;
};

// The last step that changed these bytes before they were executed, found by stepping once more.
std::string writer_of(const Outcome& outcome, const ReplayedEnd& stepped, Gpa gpa,
                      std::size_t size) {
  Replay replay{outcome, *stepped.start};
  WriteWatch watch{gpa, size};
  constexpr std::chrono::seconds kLongest{20};
  const Ending ending = replay.run({.wall = kLongest,
                                    .single_step = true,
                                    .instructions = stepped.first_overwritten_at,
                                    .breakpoints = stepped.breakpoints},
                                   &watch);
  if (!std::holds_alternative<InstructionsDone>(ending)) return {};
  watch.see(replay.guest);
  return watch.writer() ? place_of(outcome, *watch.writer()) : "";
}

std::string overwritten_code(const Outcome& outcome, const ReplayedEnd& stepped) {
  if (!stepped.first_overwritten) return {};
  const Step& step = *stepped.first_overwritten;
  const std::uint64_t offset = *step.gpa - outcome.image->load_address();
  const CpuMode mode = cpu_mode(step.before);
  const Gva at = step.before.code_address();
  const std::size_t size = std::min<std::size_t>(disassemble_one(step.code, at, mode).bytes.size(),
                                                 outcome.image->bytes().size() - offset);
  const std::string writer = writer_of(outcome, stepped, *step.gpa, size);
  return fmt::format(
      "the code at {} was overwritten{}: the image has `{}` there", to_string(at),
      writer.empty() ? "" : " by " + writer,
      disassemble_one(original(outcome, offset, kLongestInstruction), at, mode).text);
}

// What stands at the top of the stack where the image had something else.
bool has_overwritten_the_image(const Outcome& outcome, const Backing& memory, Gpa top) {
  constexpr std::size_t kLooked = 16;
  const std::optional<std::uint64_t> offset = outcome.image->offset_of(top);
  // A stack whose pointer is where the image begins is empty, and below it.
  if (!offset || *offset == 0) return false;
  const Bytes was = original(outcome, *offset, kLooked);
  const Bytes now = memory.read(top, was.size());
  // Zeros are what a source reserves for its stack.
  for (std::size_t i = 0; i < was.size(); ++i) {
    if (was[i] != 0 && was[i] != now[i]) return true;
  }
  return false;
}

std::string lost_stack(const Outcome& outcome, const Step& last, const GuestTables& tables,
                       const Backing& memory) {
  const Gva top = stack_address(last.before);
  const std::optional<Gpa> gpa = tables.translate(top);
  if (!gpa) {
    if (!last.gpa) return {};  // where nothing is mapped the stack is not what is wrong
    if (tables.translate(top - 1)) return {};  // an empty stack, which ends with what is mapped
    return fmt::format("the stack pointer, {}, is where nothing is mapped", to_string(top));
  }
  if (!memory.is_backed(*gpa - 1) && !memory.is_backed(*gpa)) {
    return fmt::format("the stack pointer, {}, is where there is no memory", to_string(top));
  }
  if (!has_overwritten_the_image(outcome, memory, *gpa)) return {};
  return fmt::format("the stack has run into the image ({}-{}): its pointer is {}",
                     to_string(outcome.image->load_address()),
                     to_string(outcome.image->load_address() + (outcome.image->bytes().size() - 1)),
                     to_string(top));
}

// Labels are wrong where the image is not loaded at its org, seen from the start's CS.
std::string other_origin(const Outcome& outcome) {
  const std::uint64_t origin = outcome.image->source_map().origin();
  const Registers& start = outcome.record->start->registers;
  if (origin == 0 || (start.cr0.pg() && outcome.registers_are_lost())) return {};
  const Gva linear = start.cs.base + origin;
  const std::optional<Gpa> gpa =
      start.cr0.pg() ? outcome.tables().translate(linear) : Gpa{linear.value()};
  if (!gpa || *gpa == outcome.image->load_address()) return {};
  return fmt::format("the source has org {:#x}, but the image is loaded at {}", origin,
                     to_string(outcome.image->load_address()));
}

// A KVM that has no INT n gives up before it looks at the IDT.
std::string undeliverable_interrupt(const Outcome& outcome) {
  if (!std::holds_alternative<HostLimit>(outcome.stop)) return {};
  const GuestTables tables = outcome.tables();
  const Registers& registers = outcome.registers;
  const auto instruction =
      decode_instruction(tables.read(registers.code_address(), kLongestInstruction), registers);
  const auto vector = instruction ? software_vector(*instruction) : std::nullopt;
  const std::string obstacle = vector ? obstacle_to(*vector, tables) : "";
  if (obstacle.empty()) return {};
  return fmt::format("a processor could not deliver `{}` either: {}", instruction->text, obstacle);
}

// In real mode what stands at the first addresses is data: a far or near jump to 0 leads there.
std::string executed_ivt(const Outcome& outcome) {
  constexpr std::uint64_t kIvtSize = 0x400;
  if (outcome.registers_are_lost() || outcome.registers.cr0.pe()) return {};
  const Gva at = outcome.stop_address();
  const Exception* const exception = outcome.exception();
  const bool has_wrapped = exception != nullptr && outcome.registers.rip == 0 &&
                           exception->vector == Vector::kGeneralProtection;
  if (has_wrapped) return {};  // it has not executed anything there
  if (at.value() >= kIvtSize || outcome.image->offset_of(Gpa{at.value()})) return {};
  return "it executed the IVT (0x0-0x3ff) as code";
}

// IP does not wrap (an emulated processor's may): the processor raises #GP for the fetch beyond the
// limit, and pushes 16 bits of it.
std::string ran_past_the_segment(const Outcome& outcome, const ReplayedEnd& end) {
  constexpr std::uint64_t kEnd = 0x10000;
  if (outcome.registers_are_lost() || outcome.registers.cr0.pe()) return {};
  if (outcome.exception() == nullptr || outcome.registers.rip != 0) return {};
  const auto two = static_cast<std::ptrdiff_t>(std::min<std::size_t>(end.last.size(), 2));
  const bool has_passed = std::any_of(end.last.end() - two, end.last.end(), [](const Step& step) {
    const Gva at = step.before.code_address();
    const auto size = disassemble_one(step.code, at, cpu_mode(step.before)).bytes.size();
    return step.before.rip + size == kEnd;
  });
  return has_passed ? "it ran past the end of its code segment: IP went beyond ffff" : "";
}

// Functions that the BIOS does not have, each once.
std::string unserved_functions(const Outcome& outcome) {
  std::vector<std::string> functions;
  for (const ServiceCall& call : outcome.bios_calls()) {
    if (call.is_known) continue;
    std::string function = fmt::format("INT {:02X}h, AX = {:04X}h",
                                       static_cast<unsigned>(call.vector), call.before.ax());
    if (std::ranges::count(functions, function) == 0) functions.push_back(std::move(function));
  }
  if (functions.empty()) return {};
  return fmt::format("the BIOS has no {}", fmt::join(functions, ", no "));
}

// Time is virtual.
std::string waits_without_hlt(const Outcome& outcome) {
  if (outcome.disks.empty() || !std::holds_alternative<Timeout>(outcome.stop)) return {};
  return "the timer ticks, and keys come, only while the guest waits in a HLT or jumps to itself";
}

}  // namespace

std::vector<std::string> findings(const Outcome& outcome, const ReplayedEnd& end,
                                  const Guest& guest) {
  std::vector<std::string> found;
  const Step& last = end.last.back();
  for (std::string each :
       {overwritten_code(outcome, end), ran_past_the_segment(outcome, end),
        // Steps that were given up say nothing of the stack at the end.
        end.took_too_long()
            ? ""
            : lost_stack(outcome, last, guest.tables(last.before), guest.memory())}) {
    if (!each.empty()) found.push_back(std::move(each));
  }
  return found;
}

std::vector<std::string> findings(const Outcome& outcome) {
  std::vector<std::string> found;
  const RunRecord& record = *outcome.record;
  if (!are_handlers_intact(*record.memory)) {
    found.push_back(fmt::format(
        "the guest has overwritten the framework's handlers at {}: exceptions go astray",
        to_string(record.memory->layout().handlers())));
  }
  if (!record.own_vectors.empty()) {
    std::vector<std::string> names;
    for (const unsigned vector : record.own_vectors) {
      names.push_back(mnemonic(static_cast<Vector>(vector)));
    }
    found.push_back(
        fmt::format("the test wrote the IVT's entries for {}, which the framework does not catch",
                    fmt::join(names, ", ")));
  }
  for (std::string each :
       {other_origin(outcome), undeliverable_interrupt(outcome), executed_ivt(outcome),
        unserved_functions(outcome), waits_without_hlt(outcome)}) {
    if (!each.empty()) found.push_back(std::move(each));
  }
  return found;
}

}  // namespace hltest::internal
