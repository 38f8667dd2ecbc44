#include "diagnosis/replayed_end.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "trace/step_history.h"
#include "vm/deadline.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

using std::chrono::microseconds;

constexpr microseconds kLongestStepping = std::chrono::seconds{1};
// So many in any case: what clears a page or fills a page table is stepped through on an emulated
// machine, too, where a step takes milliseconds.
constexpr std::uint64_t kFewSteps = 6000;
constexpr std::uint64_t kStepsAtOnce = 500;
constexpr microseconds kNeverEnding = std::chrono::seconds{60};
// A run that took longer than the default timeout is not waited for again.
constexpr microseconds kLongestRun = std::chrono::seconds{6};

// Steps until it ends or has used up its processor time.
Ending step(Replay& replay, const std::vector<Gva>& breakpoints, Observer& observer) {
  const microseconds until = processor_time() + kLongestStepping;
  for (std::uint64_t steps = kFewSteps;; steps = kStepsAtOnce) {
    Ending ending = replay.run({.wall = kNeverEnding,
                                .single_step = true,
                                .instructions = steps,
                                .breakpoints = breakpoints},
                               &observer);
    if (!std::holds_alternative<InstructionsDone>(ending)) return ending;
    if (processor_time() >= until) return TimeUp{};
  }
}

// The latest moment that was kept in which the guest had made at most so many accesses.
SharedSnapshot latest_before(const RunRecord& record, std::uint64_t accesses) {
  SharedSnapshot latest = record.start;
  for (const SharedSnapshot& each : record.recent) {
    if (each->accesses <= accesses) latest = each;
  }
  return latest;
}

// The guest after so many accesses, between two instructions; nothing where it does not get there.
SharedSnapshot after_accesses(const Outcome& outcome, std::uint64_t accesses) {
  SharedSnapshot start = latest_before(*outcome.record, accesses);
  if (start->accesses == accesses) return start;
  Replay replay{outcome, *start};
  const Ending ending = replay.run({.wall = kLongestRun, .accesses = accesses});
  if (!std::holds_alternative<AccessesDone>(ending)) return nullptr;
  return std::make_shared<Snapshot>(replay.guest.save());
}

// Later moments of the run, nearer to its end: it runs once more from `start`, with snapshots as
// often as `period` says. Empty where it goes another way.
std::vector<SharedSnapshot> later_moments(const Outcome& outcome, const SharedSnapshot& start,
                                          microseconds period) {
  Replay replay{outcome, *start};
  SnapshotRing ring{nullptr, period};
  const Ending ending = replay.run({.wall = kLongestRun, .tick = period}, &ring);
  if (std::holds_alternative<Refused>(ending) || std::holds_alternative<TimeUp>(ending)) return {};
  return ring.snapshots();
}

// Steps from the last of the moments that is a whole history before the end.
ReplayedEnd step_from(const Outcome& outcome, std::vector<SharedSnapshot> moments) {
  std::ranges::reverse(moments);
  ReplayedEnd end;
  for (const SharedSnapshot& moment : moments) {
    ReplayedEnd earlier = step_to_end(outcome, moment, {});
    if (earlier.took_too_long()) {
      if (end.start == nullptr) end = std::move(earlier);
      break;
    }
    end = std::move(earlier);
    if (end.last.size() > Diagnosis::kMostSteps) break;
  }
  return end;
}

}  // namespace

Ending Replay::run(const Limits& limits, Observer* observer) {
  std::vector<Observer*> observers{&player};
  if (observer != nullptr) observers.push_back(observer);
  return internal::run(guest, player, limits, observers);
}

bool has_left_the_image(const Outcome& outcome, const ReplayedEnd& end) {
  return end.last_in_image && !end.last.empty() && !is_in_image(*outcome.image, end.last.back());
}

ReplayedEnd step_to_end(const Outcome& outcome, SharedSnapshot start,
                        std::vector<Gva> breakpoints) {
  Replay replay{outcome, *start};
  StepHistory history{*outcome.image, Diagnosis::kMostSteps + 1};
  ReplayedEnd end{.start = std::move(start), .breakpoints = std::move(breakpoints)};
  end.ending = step(replay, end.breakpoints, history);
  end.count = history.count();
  end.last = history.last();
  end.last_in_image = history.last_in_image();
  end.first_overwritten = history.first_overwritten();
  end.first_overwritten_at = history.first_overwritten_at();
  end.at_end = replay.guest.registers();
  end.made_all_accesses = replay.player.is_at_end();
  if (std::holds_alternative<kvm::HltExit>(end.ending)) {
    end.meaning = interpret_halt(replay.guest);
  }
  return end;
}

ReplayedEnd find_end(const Outcome& outcome) {
  // An access is an instruction at least, so these are as many as a history has.
  const std::uint64_t accesses = outcome.accesses.size();
  const std::uint64_t early =
      accesses > Diagnosis::kMostSteps ? accesses - Diagnosis::kMostSteps : 0;
  const SharedSnapshot start = after_accesses(outcome, early);
  if (start == nullptr) return {.ending = Refused{}};
  ReplayedEnd end = step_to_end(outcome, start, {});
  if (!end.took_too_long()) {
    // A moment shortly before the end can be later than what led to it.
    if (end.last.size() > Diagnosis::kMostSteps || start == outcome.record->start) return end;
    std::vector<SharedSnapshot> earlier{outcome.record->start};
    for (const SharedSnapshot& each : outcome.record->recent) {
      if (each->accesses <= start->accesses && each != start) earlier.push_back(each);
    }
    ReplayedEnd longer = step_from(outcome, std::move(earlier));
    return longer.took_too_long() ? std::move(end) : std::move(longer);
  }

  // Where it was still inside, it can have left by any other way.
  const std::optional<Step> left =
      has_left_the_image(outcome, end) ? end.last_in_image : std::nullopt;
  std::vector<SharedSnapshot> moments = outcome.record->recent;
  if (moments.empty()) moments.push_back(start);
  constexpr int kFiner = 10;
  constexpr microseconds kShortest{20};  // what a timer can tell apart
  for (microseconds period = SnapshotRing::kPeriod; period >= kShortest; period /= kFiner) {
    ReplayedEnd later = step_from(outcome, moments);
    if (!later.took_too_long()) {
      end = std::move(later);
      break;
    }
    const std::vector<SharedSnapshot> finer =
        later_moments(outcome, moments.back(), period / kFiner);
    if (!finer.empty()) moments = finer;
  }
  if (!end.last_in_image) end.last_in_image = left;
  return end;
}

std::unique_ptr<Replay> before_last_step(const Outcome& outcome, const ReplayedEnd& end) {
  auto replay = std::make_unique<Replay>(outcome, *end.start);
  const Ending ending = replay->run({.wall = kNeverEnding,
                                     .single_step = true,
                                     .instructions = end.count - 1,
                                     .breakpoints = end.breakpoints});
  if (!std::holds_alternative<InstructionsDone>(ending)) return nullptr;
  if (replay->guest.registers() != end.last.back().before) return nullptr;
  return replay;
}

HistoryStep history_step(const Outcome& outcome, const Step& step, const Registers* after) {
  HistoryStep history{.address = step.before.code_address(), .mode = cpu_mode(step.before)};
  if (step.gpa) history.source = outcome.source_at(*step.gpa);
  if (!step.code.empty()) {
    history.instruction = disassemble_one(step.code, history.address, history.mode).text;
  }
  if (after == nullptr) return history;
  const std::vector<NamedValue> old_values = named_values(step.before);
  for (std::size_t i = 0; const NamedValue& value : named_values(*after)) {
    if (value.value != old_values[i++].value && value.name != "rip") {
      history.changes.push_back(value);
    }
  }
  return history;
}

std::vector<HistoryStep> history_of(const Outcome& outcome, const ReplayedEnd& end) {
  std::vector<HistoryStep> history;
  for (std::size_t i = 0; i + 1 < end.last.size(); ++i) {
    history.push_back(history_step(outcome, end.last[i], &end.last[i + 1].before));
  }
  return history;
}

}  // namespace hltest::internal
