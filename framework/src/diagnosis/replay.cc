#include "diagnosis/replay.h"

#include <fmt/format.h>

#include <utility>

#include "diagnosis/fault_capture.h"
#include "diagnosis/findings.h"
#include "diagnosis/place.h"
#include "diagnosis/replayed_end.h"
#include "machine/cause.h"
#include "vm/stepping.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

// A guest that is still running may have lost its way: where, its first steps can show.
bool has_lost_its_way(const Outcome& outcome) {
  return std::holds_alternative<Timeout>(outcome.stop) && outcome.stopped_outside_image();
}

bool are_alike(const Registers& a, const Registers& b) {
  // What stepping changes of the flags is not compared.
  constexpr std::uint64_t kOfStepping = Rflags::kTf | Rflags::kRf;
  return static_cast<const GeneralRegisters&>(a) == static_cast<const GeneralRegisters&>(b) &&
         a.code_address() == b.code_address() &&
         (a.rflags.value | kOfStepping) == (b.rflags.value | kOfStepping);
}

template <typename Form>
bool ended_in(const ReplayedEnd& end) {
  return std::holds_alternative<Form>(end.ending);
}

// True when the second run ended as the first did, as far as that is known: after a triple fault
// some KVMs leave no registers to compare.
bool is_the_same_end(const Outcome& outcome, const ReplayedEnd& end) {
  if (!end.made_all_accesses || end.last.empty()) return false;
  if (std::holds_alternative<TripleFault>(outcome.stop)) {
    const bool is_shutdown =
        ended_in<kvm::ShutdownExit>(end) || ended_in<kvm::InternalErrorExit>(end);
    return is_shutdown &&
           (outcome.registers_are_lost() || are_alike(outcome.registers, end.at_end));
  }
  if (std::holds_alternative<UnbackedFetch>(outcome.stop)) {
    // Into the handlers of real mode, the guest runs up to their HLT.
    return end.last.back().before.code_address() == outcome.stop_address() ||
           (ended_in<kvm::HltExit>(end) && end.at_end.code_address() - 1 == outcome.stop_address());
  }
  // A #UD that KVM's emulator has no name for has no handler either.
  if (ended_in<kvm::InternalErrorExit>(end)) return are_alike(outcome.registers, end.at_end);
  if (!end.meaning) return false;
  const auto* const second = std::get_if<Exception>(&end.meaning->reason);
  return second != nullptr && second->vector == std::get<Exception>(outcome.stop).vector &&
         are_alike(outcome.registers, end.meaning->registers);
}

std::string why_not(const ReplayedEnd& end) {
  if (end.took_too_long()) {
    return "it ran for too long before the fault to be followed there step by step";
  }
  if (ended_in<SetsTrapFlag>(end)) return "it sets RFLAGS.TF, by which KVM steps";
  if (ended_in<Refused>(end)) {
    return "it made other accesses to ports, MMIO or MSRs the second time";
  }
  return "it came to another end the second time";
}

// Takes the fault in that a triple fault really began with, and explains it from the memory at that
// time.
void tell(const Outcome& outcome, CapturedFault fault, const Guest& guest, Diagnosis& diagnosis) {
  const GuestTables tables = guest.tables(fault.registers);
  if (const auto* const exception = std::get_if<Exception>(&fault.reason)) {
    diagnosis.fault = *exception;
    diagnosis.is_interrupt = fault.is_interrupt;
    diagnosis.cause = std::move(fault.cause);
    diagnosis.undelivered = obstacle_to(exception->vector, tables);
    diagnosis.place = place_of(outcome, *exception, tables);
  } else {
    diagnosis.stop = fault.reason;
    diagnosis.undelivered.clear();
    diagnosis.place = place_of(outcome, fault.reason, tables);
  }
  diagnosis.place->code = code_around(outcome, *diagnosis.place, tables, 0);
}

// Code that is not mapped any more (paging has begun, or CR3 changed) is where the instruction
// before it was, and after that.
void place_unmapped_code(const Outcome& outcome, const ReplayedEnd& end, Diagnosis& diagnosis) {
  if (end.last.size() < 2 || end.last.back().gpa || !diagnosis.place) return;
  const Step& before = end.last[end.last.size() - 2];
  if (!before.gpa || before.code.empty()) return;
  const Gva at = before.before.code_address();
  const std::size_t size = disassemble_one(before.code, at, cpu_mode(before.before)).bytes.size();
  const auto offset = outcome.image->offset_of(*before.gpa + size);
  if (at + size == diagnosis.place->address && offset) {
    place_in_image(outcome, *offset, *diagnosis.place);
  }
}

// The handler of the guest's that a fault was delivered to, or the #DF that came of it: what went
// wrong came later.
std::optional<Gva> handler_that_ran(const CapturedFault& fault, const GuestTables& tables) {
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
// guest's, `end` becomes the end that stops in it, and there is more to explain: false.
bool explain_first_fault(const Outcome& outcome, ReplayedEnd& end, Replay& replay,
                         Diagnosis& diagnosis) {
  constexpr std::size_t kMostHandlers = 32;
  std::optional<CapturedFault> fault = capture_fault(replay);
  if (!fault) return true;
  if (const auto handler = handler_that_ran(*fault, replay.guest.tables(fault->registers))) {
    if (end.breakpoints.size() < kMostHandlers) {
      std::vector<Gva> breakpoints = end.breakpoints;
      breakpoints.push_back(*handler);
      ReplayedEnd again = step_to_end(outcome, end.start, std::move(breakpoints));
      if (again.ending.index() == end.ending.index() && again.count > end.count) {
        end = std::move(again);
        return false;
      }
    }
    diagnosis.findings.push_back(
        fmt::format("it was delivered to the guest's handler at {}, and what went wrong came there",
                    to_string(*handler)));
  }
  tell(outcome, *std::move(fault), replay.guest, diagnosis);
  return true;
}

// A guest can have left its image long before the moments that were kept: then its first steps show
// where.
void tell_where_it_left(const Outcome& outcome, const ReplayedEnd& end, Diagnosis& diagnosis) {
  std::optional<Step> left;
  if (has_left_the_image(outcome, end)) left = end.last_in_image;
  if (!left && end.start != outcome.record->start) {
    const ReplayedEnd first = step_to_end(outcome, outcome.record->start, {});
    if (has_left_the_image(outcome, first)) left = first.last_in_image;
  }
  if (left) diagnosis.left_image_at = history_step(outcome, *left, nullptr);
}

void follow_lost_guest(const Outcome& outcome, Diagnosis& diagnosis) {
  const ReplayedEnd first = step_to_end(outcome, outcome.record->start, {});
  if (first.last.empty()) return;
  if (const auto guest = before_last_step(outcome, first)) {
    diagnosis.findings = findings(outcome, first, guest->guest);
  }
  if (has_left_the_image(outcome, first)) {
    diagnosis.left_image_at = history_step(outcome, *first.last_in_image, nullptr);
  }
}

}  // namespace

bool can_be_replayed(const Outcome& outcome) {
  const StopReason& stop = outcome.stop;
  return std::holds_alternative<Exception>(stop) || std::holds_alternative<TripleFault>(stop) ||
         std::holds_alternative<UnbackedFetch>(stop) || has_lost_its_way(outcome);
}

void replay(const Outcome& outcome, Diagnosis& diagnosis) {
  if (!is_complete(outcome.accesses)) {
    diagnosis.not_replayed = "it made more accesses to ports, MMIO or MSRs than are kept";
    return;
  }
  if (has_lost_its_way(outcome)) {
    follow_lost_guest(outcome, diagnosis);
    return;
  }
  ReplayedEnd end = find_end(outcome);
  if (!is_the_same_end(outcome, end)) {
    diagnosis.not_replayed = why_not(end);
    if (outcome.stopped_outside_image()) tell_where_it_left(outcome, end, diagnosis);
    return;
  }
  for (bool is_explained = false; !is_explained;) {
    const std::unique_ptr<Replay> replay = before_last_step(outcome, end);
    if (replay == nullptr) {
      diagnosis.not_replayed = "it came to another end the second time";
      return;
    }
    diagnosis.findings = findings(outcome, end, replay->guest);
    is_explained = !std::holds_alternative<TripleFault>(outcome.stop) ||
                   explain_first_fault(outcome, end, *replay, diagnosis);
  }
  place_unmapped_code(outcome, end, diagnosis);
  diagnosis.history = history_of(outcome, end);
  const bool is_outside = diagnosis.place && !diagnosis.place->offset;
  if (is_outside) tell_where_it_left(outcome, end, diagnosis);
}

}  // namespace hltest::internal
