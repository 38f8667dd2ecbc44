#pragma once

#include "machine/outcome.h"

namespace hltest {

/// `run`, with what a second, stepped run of the same guest shows of how it went wrong: its last
/// instructions (`Outcome::history`) and, for a triple fault, the exception that it began with
/// (`TripleFault::first_fault`), the registers from before it and its place. The second run has a
/// VM of its own, begins with what the first began with, and gets the same answers at its ports,
/// MMIO and MSRs, from the logs: the test's handlers are not called. Where it does not come to the
/// same end, `History::failure` says so.
///
/// To be called while the machine that made the run is there, and before its next run: it keeps
/// what the second run begins with. For a run that ended in an exception, a triple fault or a fetch
/// from no memory, or that timed out outside its image; any other comes back as it is. Takes some
/// seconds at most; on an emulated machine, where a step takes milliseconds, a minute. Throws
/// nothing that KVM says: that is a failure too.
Outcome replayed(Outcome run);

}  // namespace hltest
