#pragma once

#include <optional>

#include "machine/halt_meaning.h"
#include "trace/replayed_guest.h"

namespace hltest {

/// Lets the guest execute the instruction that it is at, and whatever exception that raises be
/// delivered by tables of the replay's own, so that it arrives whatever became of the guest's. An
/// `INT n` raises what stands in the way of its gate in the guest's own tables. The reason is an
/// `Exception`, with its cause, or a `HostLimit`; the registers are those from before it. Nothing
/// where there is none, or none arrives. The guest is of no use afterwards.
std::optional<HaltMeaning> capture_fault(ReplayedGuest& guest);

}  // namespace hltest
