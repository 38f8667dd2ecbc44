#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <hltest/diagnosis.h>
#include <hltest/outcome.h>

#include "machine/run_record.h"
#include "trace/log_player.h"
#include "vm/halt_meaning.h"
#include "vm/run.h"

namespace hltest::internal {

/// The guest of a run in a VM of its own, which is given again what that run was given.
struct Replay {
  Replay(const Outcome& outcome, const Snapshot& start)
      : guest(start),
        player(outcome.accesses, start.accesses, start.interrupts, start.instructions) {}

  /// Runs it, answered by the player.
  Ending run(const Limits& limits, Observer* observer = nullptr);

  Guest guest;
  LogPlayer player;
};

/// The end of a run, stepped.
struct ReplayedEnd {
  Ending ending = TimeUp{};
  /// Where the steps were counted from.
  SharedSnapshot start{};
  std::vector<Gva> breakpoints{};
  std::uint64_t count = 0;  ///< of the steps, the one included that ended it
  std::deque<Step> last{};  ///< the last of them, that one included
  std::optional<Step> last_in_image = std::nullopt;
  /// The first instruction in the image that is not what the image has there.
  std::optional<Step> first_overwritten = std::nullopt;
  std::uint64_t first_overwritten_at = 0;  ///< the steps before it
  Registers at_end{};
  /// Where it ended at a HLT: what that means.
  std::optional<HaltMeaning> meaning = std::nullopt;
  bool made_all_accesses = false;  ///< that the run made

  [[nodiscard]] bool took_too_long() const { return std::holds_alternative<TimeUp>(ending); }
};

/// True when the steps ended outside the image, and have been inside.
bool has_left_the_image(const Outcome& outcome, const ReplayedEnd& end);

/// Steps the guest of a run from `start` on to its end, or for a second of processor time: some ten
/// thousand instructions, or some hundred thousand.
ReplayedEnd step_to_end(const Outcome& outcome, SharedSnapshot start, std::vector<Gva> breakpoints);

/// Brings the guest of a run close to its end and steps it there: from some accesses before the
/// last, or, where that is too far away, from the last moments that were kept of the run.
ReplayedEnd find_end(const Outcome& outcome);

/// The guest once more, before the step that ended it; nothing where it goes another way.
std::unique_ptr<Replay> before_last_step(const Outcome& outcome, const ReplayedEnd& end);

/// One step, as a history has it; `after` are the registers after it, if they are known.
HistoryStep history_step(const Outcome& outcome, const Step& step, const Registers* after);
/// The steps without the one that ended it.
std::vector<HistoryStep> history_of(const Outcome& outcome, const ReplayedEnd& end);

}  // namespace hltest::internal
