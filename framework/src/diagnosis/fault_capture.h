#pragma once

#include <optional>

#include "diagnosis/replayed_end.h"

namespace hltest::internal {

/// What the next instruction of a guest raises.
struct CapturedFault {
  /// An `Exception`, or a `HostLimit` where it is this KVM's doing.
  StopReason reason;
  Registers registers{};  ///< from before it
  std::string cause{};
  bool is_interrupt = false;  ///< that a device requested, and no exception
};

/// Executes the next instruction with an IDT, GDT and TSS of the replay's own, and returns the
/// exception that it raises: so it arrives whatever became of the guest's tables. An `INT n` raises
/// what stands in the way of its gate in the guest's own tables. Returns nothing where the
/// instruction raises none, or none arrives. The guest is of no use afterwards.
std::optional<CapturedFault> capture_fault(Replay& replay);

}  // namespace hltest::internal
