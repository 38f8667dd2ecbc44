#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <hltest/x86/registers.h>
#include "machine/halt_meaning.h"
#include "machine/history.h"
#include "trace/handler_exit.h"
#include "trace/replayed_guest.h"

namespace hltest {

/// The guest as it is now.
Step look(const ReplayedGuest& guest);

/// The last instructions of a replay.
struct SteppedEnd {
  ReplayedGuest::End end{};
  /// Where the steps were counted from; nothing for the start of the run.
  std::optional<Checkpoint> start = std::nullopt;
  std::vector<Gva> breakpoints{};
  std::uint64_t count = 0;  ///< of the steps, the one included that ended it
  std::deque<Step> last{};  ///< the last of them, that one included
  std::optional<Step> last_in_image = std::nullopt;
  /// The first instruction in the image that is not what the image has there.
  std::optional<Step> first_overwritten = std::nullopt;
  std::uint64_t first_overwritten_at = 0;  ///< the steps before it
  Registers at_end{};
  /// Where it ended at a handler of the framework's: what that means.
  std::optional<HaltMeaning> meaning = std::nullopt;
  bool made_all_accesses = false;  ///< that the run made
};

/// True when the steps ended outside the image, and have been inside.
bool has_left_the_image(const RecordedRun& run, const SteppedEnd& end);

/// Steps the guest of a run from `start` on to its end, or for a second of processor time: some ten
/// thousand instructions, or some hundred thousand.
SteppedEnd step_to_end(const RecordedRun& run, std::optional<Checkpoint> start,
                       std::vector<Gva> breakpoints);

/// Brings the guest of a run close to its end and steps it there: from some accesses before the
/// last, or, where that is too far away, from where it is a moment before its end.
SteppedEnd find_end(const RecordedRun& run);

/// The guest once more, where its steps were counted from.
std::unique_ptr<ReplayedGuest> at_start(const RecordedRun& run, const SteppedEnd& end);
/// The guest once more, before the step that ended it; nothing where it goes another way.
std::unique_ptr<ReplayedGuest> before_last_step(const RecordedRun& run, const SteppedEnd& end);

/// The steps as a history has them, without the one that ended it.
std::vector<HistoryStep> history_of(const SteppedEnd& end);
HistoryStep history_step(const Step& step, const Registers* after);

}  // namespace hltest
