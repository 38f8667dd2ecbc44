#include "trace/replay.h"
#include "machine/explanation.h"
#include "trace/fault_capture.h"
#include "trace/findings.h"
#include "trace/stepped_end.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace hltest {
namespace {

using End = ReplayedGuest::End;

bool can_be_explained(const StopReason& stop) {
  return std::holds_alternative<Exception>(stop) || std::holds_alternative<TripleFault>(stop) ||
         std::holds_alternative<UnbackedFetch>(stop);
}

// A guest that is still running may have lost its way: where, its first steps can show.
bool has_lost_its_way(const Outcome& run) {
  return std::holds_alternative<Timeout>(run.stop) && run.stopped_outside_image;
}

bool are_alike(const Registers& a, const Registers& b) {
  return static_cast<const GeneralRegisters&>(a) == static_cast<const GeneralRegisters&>(b) &&
         a.code_address() == b.code_address();
}

// True when the second run ended as the first did, as far as that is known: after a triple fault
// some KVMs leave no registers to compare.
bool is_the_same_end(const Outcome& run, const SteppedEnd& stepped) {
  if (!stepped.made_all_accesses) return false;
  if (std::holds_alternative<TripleFault>(run.stop)) {
    const bool is_shutdown = stepped.end == End::kShutdown || stepped.end == End::kInternalError;
    return is_shutdown && (run.registers_are_lost() || are_alike(run.registers, stepped.at_end));
  }
  if (std::holds_alternative<UnbackedFetch>(run.stop)) {
    // Into the handlers of real mode, the guest runs up to their HLT.
    return stepped.last.back().before.code_address() == run.stop_address() ||
           (stepped.end == End::kHalted && stepped.at_end.code_address() - 1 == run.stop_address());
  }
  // A #UD that KVM's emulator has no name for has no handler either.
  if (stepped.end == End::kInternalError) return are_alike(run.registers, stepped.at_end);
  if (stepped.end != End::kHalted || !stepped.meaning) return false;
  const auto* const second = std::get_if<Exception>(&stepped.meaning->reason);
  return second != nullptr && second->vector == std::get<Exception>(run.stop).vector &&
         are_alike(run.registers, stepped.meaning->registers);
}

std::string why_not(End end) {
  switch (end) {
    case End::kTooLong:
      return "it ran for too long before the fault to be followed there step by step";
    case End::kTooMuchMemory:
      return "its memory held too much on the way for a checkpoint";
    case End::kTrapFlag:
      return "it sets RFLAGS.TF, by which KVM steps";
    case End::kDiverged:
      return "it made other accesses to ports, MMIO or MSRs the second time";
    default:
      return "it came to another end the second time";
  }
}

History failed(std::string why) { return {.failure = std::move(why)}; }

// Where the handler for a fault begins that can be delivered, and that stepping would pass.
std::optional<Gva> handler_of(Vector vector, const SystemTables& tables) {
  const std::optional<Descriptor> gate = tables.gate(vector);
  if (!gate) return std::nullopt;
  return std::visit(
      [&](const auto& form) -> std::optional<Gva> {
        if constexpr (requires { form.ist; }) {
          return Gva{form.offset};
        } else if constexpr (std::is_same_v<std::decay_t<decltype(form)>, IvtEntry>) {
          return Gva{std::uint64_t{form.cs} * 16 + form.ip};
        }
        return std::nullopt;
      },
      *gate);
}

// Takes the fault in that a run really ended with, and explains it from the memory at that time.
void tell(Outcome& run, HaltMeaning fault, ReplayedGuest& guest) {
  run.registers = fault.registers;
  if (auto* const exception = std::get_if<Exception>(&fault.reason)) {
    const SystemTables tables = guest.tables(fault.registers);
    auto& triple = std::get<TripleFault>(run.stop);
    triple.undelivered = obstacle_to(exception->vector, tables);
    triple.first_fault = std::move(*exception);
  } else {
    run.stop = std::move(fault.reason);
  }
  explain_stop(run, guest.memory(), guest.vm().physical_bits());
}

// Code that is not mapped any more (paging has begun, or CR3 changed) is where the instruction
// before it was, and behind that.
void place_unmapped_code(Outcome& run, const SteppedEnd& stepped) {
  if (stepped.last.size() < 2 || stepped.last.back().gpa) return;
  const Step& before = stepped.last[stepped.last.size() - 2];
  if (!before.gpa || before.code.empty()) return;
  const Gva at = before.before.code_address();
  const std::size_t size = disassemble_one(before.code, at, cpu_mode(before.before)).bytes.size();
  const Gpa gpa = *before.gpa + size;
  if (at + size == run.stop_address() && run.image_offset(gpa)) {
    place_in_image(run, gpa);
  }
}

// The handler of the guest's that a fault was delivered to, or the #DF that came of it: what went
// wrong came later.
std::optional<Gva> handler_that_ran(const HaltMeaning& fault, const SystemTables& tables) {
  const auto* const exception = std::get_if<Exception>(&fault.reason);
  if (exception == nullptr) return std::nullopt;
  if (obstacle_to(exception->vector, tables).empty()) {
    return handler_of(exception->vector, tables);
  }
  if (tables.registers().cr0.pe() && obstacle_to(Vector::kDoubleFault, tables).empty()) {
    return handler_of(Vector::kDoubleFault, tables);
  }
  return std::nullopt;
}

// Explains the fault that a triple fault began with. Where the steps have passed a handler of the
// guest's, `stepped` becomes the end that stops in it, and there is more to explain: false.
bool explain_first_fault(Outcome& outcome, const RecordedRun& run, SteppedEnd& stepped,
                         ReplayedGuest& guest, History& history) {
  constexpr std::size_t kMostHandlers = 32;
  std::optional<HaltMeaning> fault = capture_fault(guest);
  if (!fault) return true;
  if (const auto handler = handler_that_ran(*fault, guest.tables(fault->registers))) {
    if (stepped.breakpoints.size() < kMostHandlers) {
      std::vector<Gva> breakpoints = stepped.breakpoints;
      breakpoints.push_back(*handler);
      SteppedEnd again = step_to_end(run, stepped.start, std::move(breakpoints));
      if (again.end == stepped.end && again.count > stepped.count) {
        stepped = std::move(again);
        return false;
      }
    }
    history.findings.push_back(
        fmt::format("it was delivered to the guest's handler at {}, and what went wrong came there",
                    to_string(*handler)));
  }
  tell(outcome, *std::move(fault), guest);
  return true;
}

History history_of_lost_guest(const RecordedRun& run) {
  const SteppedEnd first = step_to_end(run, std::nullopt, {});
  History history;
  if (const auto guest = before_last_step(run, first)) {
    history.findings = findings(run, first, *guest);
  }
  if (has_left_the_image(run, first)) {
    history.left_image_at = history_step(*first.last_in_image, nullptr);
  }
  return history;
}

History replay(Outcome& outcome) {
  const RecordedRun run{.outcome = outcome, .recording = outcome.recording.lock()};
  if (run.recording == nullptr) {
    return failed("its machine is gone, or has begun another run");
  }
  if (!run.recording->memory) {
    return failed("its memory held too much before the run to be kept for a second one");
  }
  if (!AccessLog{run}.is_complete()) {
    return failed("it made more accesses to ports, MMIO or MSRs than are kept");
  }
  if (has_lost_its_way(outcome)) return history_of_lost_guest(run);

  SteppedEnd stepped = find_end(run);
  if (!is_the_same_end(outcome, stepped)) {
    History history = failed(why_not(stepped.end));
    if (outcome.stopped_outside_image && has_left_the_image(run, stepped)) {
      history.left_image_at = history_step(*stepped.last_in_image, nullptr);
    }
    return history;
  }
  History history;
  for (bool is_explained = false; !is_explained;) {
    const std::unique_ptr<ReplayedGuest> guest = before_last_step(run, stepped);
    if (guest == nullptr) return failed(why_not(End::kOther));
    history.findings = findings(run, stepped, *guest);
    is_explained = !std::holds_alternative<TripleFault>(outcome.stop) ||
                   explain_first_fault(outcome, run, stepped, *guest, history);
  }
  place_unmapped_code(outcome, stepped);
  history.steps = history_of(stepped);
  if (outcome.stopped_outside_image && stepped.last_in_image) {
    history.left_image_at = history_step(*stepped.last_in_image, nullptr);
  }
  return history;
}

}  // namespace

Outcome replayed(Outcome run) {
  if (!can_be_explained(run.stop) && !has_lost_its_way(run)) return run;
  try {
    run.history = replay(run);
  } catch (const std::exception& error) {
    run.history = failed(fmt::format("its second run could not be made: {}", error.what()));
  }
  return run;
}

}  // namespace hltest
