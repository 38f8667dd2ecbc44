#include "trace/stepped_end.h"
#include "trace/handler_exit.h"
#include "x86/code/disassembly.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

namespace hltest {
namespace {

using End = ReplayedGuest::End;
using std::chrono::microseconds;

constexpr microseconds kLongestStepping = std::chrono::seconds{1};
// So many in any case: what clears a page or fills a page table is stepped through on an emulated
// machine, too, where a step takes milliseconds.
constexpr std::uint64_t kFewSteps = 6000;
constexpr microseconds kNeverEnding = std::chrono::seconds{60};
// A run that took longer than the default timeout is not waited for again.
constexpr microseconds kLongestRun = std::chrono::seconds{6};
constexpr microseconds kLongestSearch = std::chrono::seconds{5};

// Of this thread, the guest's time included: a busy host shall not make a replay fail.
microseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} +
         std::chrono::duration_cast<microseconds>(std::chrono::nanoseconds{now.tv_nsec});
}

std::unique_ptr<ReplayedGuest> guest_at(const RecordedRun& run,
                                        const std::optional<Checkpoint>& start) {
  return start ? std::make_unique<ReplayedGuest>(run, *start)
               : std::make_unique<ReplayedGuest>(run);
}

bool is_in_image(const RecordedRun& run, const Step& step) {
  return step.gpa && run.outcome.image_offset(*step.gpa);
}

// True for an instruction in the image that is not the image's own.
bool is_overwritten(const RecordedRun& run, const Step& step) {
  const auto image = run.outcome.image->bytes().subspan(*step.gpa - run.outcome.image_start);
  const std::size_t size = std::min(image.size(), step.code.size());
  if (std::equal(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size),
                 step.code.begin())) {
    return false;
  }
  const Instruction now =
      disassemble_one(step.code, step.before.code_address(), cpu_mode(step.before));
  const std::size_t length = std::min(size, now.bytes.size());
  return !std::equal(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(length),
                     step.code.begin());
}

// The guest after so many accesses, between two instructions; `end` says why there is none.
std::optional<Checkpoint> after_accesses(const RecordedRun& run, std::uint64_t accesses, End& end) {
  ReplayedGuest guest{run};
  guest.set_time_limit(kLongestRun);
  end = guest.run_until(accesses);
  if (end != End::kStepped) return std::nullopt;
  std::optional<Checkpoint> checkpoint = guest.checkpoint();
  if (!checkpoint) end = End::kTooMuchMemory;
  return checkpoint;
}

// Steps the guest from as late a moment as it takes. That is found by halving the time that it has
// left, from checkpoint to checkpoint, in processor time: so it is found on a busy host, too.
std::optional<SteppedEnd> step_the_last_moment(const RecordedRun& run,
                                               std::optional<Checkpoint> start) {
  constexpr microseconds kShortest{20};       // what a timer can tell apart
  constexpr microseconds kSteppable{50'000};  // slow processors are stepped through that
  constexpr int kLess = 8;                    // than the last time that stepping took too long
  const microseconds until = processor_time() + kLongestSearch;
  microseconds left = 2 * kLongestRun;  // until a first run to the end tells
  microseconds tried = kLess * kSteppable;
  while (processor_time() < until) {
    if (left <= kSteppable && left <= tried / kLess) {
      tried = left;
      SteppedEnd stepped = step_to_end(run, start, {});
      if (stepped.end != End::kTooLong) return stepped;
    }
    const auto guest = guest_at(run, start);
    guest->set_time_limit(std::max(left / 2, kShortest));
    const microseconds begin = processor_time();
    const End end = guest->run_on();
    const microseconds took = processor_time() - begin;
    if (end == End::kDiverged) return std::nullopt;
    if (end != End::kTooLong) {
      if (left <= kShortest) return std::nullopt;
      left = std::min(took, left / 2);
    } else {
      start = guest->checkpoint();
      if (!start) return std::nullopt;
      left = std::max(left - took, kShortest);
    }
  }
  return std::nullopt;
}

}  // namespace

Step look(const ReplayedGuest& guest) {
  Step step{.before = guest.registers()};
  const SystemTables tables = guest.tables(step.before);
  const Gva at = step.before.code_address();
  step.gpa = tables.translate(at);
  step.code = tables.read(at, kLongestInstruction);
  return step;
}

bool has_left_the_image(const RecordedRun& run, const SteppedEnd& end) {
  return end.last_in_image && !end.last.empty() && !is_in_image(run, end.last.back());
}

SteppedEnd step_to_end(const RecordedRun& run, std::optional<Checkpoint> start,
                       std::vector<Gva> breakpoints) {
  SteppedEnd stepped{.start = std::move(start), .breakpoints = std::move(breakpoints)};
  const auto guest = at_start(run, stepped);
  const microseconds until = processor_time() + kLongestStepping;
  do {
    stepped.last.push_back(look(*guest));
    if (stepped.last.size() > History::kMostSteps + 1) stepped.last.pop_front();
    const Step& now = stepped.last.back();
    if (is_in_image(run, now)) {
      if (!stepped.first_overwritten && is_overwritten(run, now)) {
        stepped.first_overwritten = now;
        stepped.first_overwritten_at = stepped.count;
      }
      stepped.last_in_image = now;
    }
    stepped.end = guest->step();
    ++stepped.count;
    stepped.at_end = guest->registers();
    if (stepped.end == End::kStepped &&
        has_come_to_a_handler(run, stepped.last.back(), stepped.at_end)) {
      stepped.end = End::kHalted;
    }
  } while (stepped.end == End::kStepped && (stepped.count < kFewSteps || processor_time() < until));
  if (stepped.end == End::kStepped) stepped.end = End::kTooLong;
  stepped.made_all_accesses = guest->has_made_all_accesses();
  if (stepped.end == End::kHalted) stepped.meaning = meaning_of(run, *guest, stepped.at_end);
  return stepped;
}

SteppedEnd find_end(const RecordedRun& run) {
  // An access is an instruction at least, so these are as many as a history has.
  const std::uint64_t accesses = AccessLog{run}.size();
  const std::uint64_t early = accesses > History::kMostSteps ? accesses - History::kMostSteps : 0;
  std::optional<Checkpoint> start;
  End end = End::kStepped;
  if (early != 0) start = after_accesses(run, early, end);
  if (early != 0 && !start) return {.end = end};
  SteppedEnd stepped = step_to_end(run, start, {});
  if (stepped.end != End::kTooLong) return stepped;

  if (accesses != 0) start = after_accesses(run, accesses, end);
  if (accesses != 0 && !start) return {.end = end};
  // Where it was inside still, it can have left by any other way.
  std::optional<Step> last_in_image;
  if (has_left_the_image(run, stepped)) last_in_image = stepped.last_in_image;
  if (auto close = step_the_last_moment(run, std::move(start))) {
    stepped = *std::move(close);
    if (!stepped.last_in_image) stepped.last_in_image = last_in_image;
  }
  return stepped;
}

std::unique_ptr<ReplayedGuest> at_start(const RecordedRun& run, const SteppedEnd& end) {
  auto guest = guest_at(run, end.start);  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): owned
  guest->set_breakpoints(end.breakpoints);
  guest->set_time_limit(kNeverEnding);
  return guest;
}

std::unique_ptr<ReplayedGuest> before_last_step(const RecordedRun& run, const SteppedEnd& end) {
  auto guest = at_start(run, end);
  for (std::uint64_t i = 0; i + 1 < end.count; ++i) {
    if (guest->step() != End::kStepped) return nullptr;
  }
  if (guest->registers() != end.last.back().before) return nullptr;
  return guest;
}

HistoryStep history_step(const Step& step, const Registers* after) {
  HistoryStep history{
      .address = step.before.code_address(), .gpa = step.gpa, .mode = cpu_mode(step.before)};
  if (!step.code.empty()) {
    history.instruction = disassemble_one(step.code, history.address, cpu_mode(step.before)).text;
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

std::vector<HistoryStep> history_of(const SteppedEnd& end) {
  std::vector<HistoryStep> history;
  for (std::size_t i = 0; i + 1 < end.last.size(); ++i) {
    history.push_back(history_step(end.last[i], &end.last[i + 1].before));
  }
  return history;
}

}  // namespace hltest
