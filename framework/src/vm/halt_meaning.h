#pragma once

#include <optional>

#include <hltest/stop_reason.h>
#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/registers.h>

#include "vm/delivered_interrupt.h"
#include "vm/guest.h"

namespace hltest::internal {

/// What a HLT exit means.
struct HaltMeaning {
  /// `Halt`; or `Exception` when the HLT was the framework's handler for a vector.
  StopReason reason;
  /// The registers that the guest itself had: for an exception those from before its delivery.
  Registers registers;
};

/// Tells the guest's own HLT from the framework's handlers, which are HLTs too: the handler for
/// vector n is the one at `handlers` + n. A HLT at CPL 3, which the processor answers with #GP, is
/// the guest's own. A #UD at an instruction that KVM lacks is a `HostLimit`, and a HLT that SYSCALL
/// or SYSENTER led to is a `SystemCall`. `start` are the registers the run began with, `interrupt`
/// is the last one that was delivered to the guest.
HaltMeaning interpret_halt(const Registers& at_exit, const Registers& start, Gva handlers,
                           const LinearReader& read,
                           const std::optional<DeliveredInterrupt>& interrupt = std::nullopt);

/// The same for a guest that has just halted. A HLT at the handlers' address is theirs only where
/// the guest maps them there, and has not overwritten them.
HaltMeaning interpret_halt(const Guest& guest);

/// True when every handler of the framework's is the HLT that it was.
bool are_handlers_intact(const Backing& memory);

}  // namespace hltest::internal
