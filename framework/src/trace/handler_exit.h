#pragma once

#include <optional>

#include "machine/halt_meaning.h"
#include "trace/recorded_run.h"
#include "trace/replayed_guest.h"

namespace hltest {

/// A guest before one step.
struct Step {
  Registers before{};
  std::vector<std::uint8_t> code{};  ///< at CS:RIP; empty where there is none
  std::optional<Gpa> gpa = std::nullopt;
};

/// True when a step came to a handler of the framework's; then `now` has RIP behind its HLT. On
/// some KVMs a step over that goes on past it, and one by INT n stops before it.
bool has_come_to_a_handler(const RecordedRun& run, const Step& before, Registers& now);

/// What the HLT of a handler means, which RIP is behind; nothing where it is none.
std::optional<HaltMeaning> meaning_of(const RecordedRun& run, const ReplayedGuest& guest,
                                      const Registers& at_end);

}  // namespace hltest
