#pragma once

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/registers.h>
#include "machine/stop_reason.h"

namespace hltest {

/// What a HLT exit means.
struct HaltMeaning {
  /// `Halt`, or `Exception` when the HLT was the framework's handler for a vector.
  StopReason reason;
  /// The registers that the guest itself had: for an exception those from before its delivery.
  Registers registers;
};

/// Tells the guest's own HLT from the framework's handlers, which are HLTs too: the handler for
/// vector n is the one at `handlers` + n. A HLT at CPL 3, which the processor answers with #GP, is
/// the guest's own. A #UD at an instruction that KVM lacks is a `HostLimit`, and a HLT that SYSCALL
/// or SYSENTER led to is a `SystemCall`. `start` are the registers the run began with.
HaltMeaning interpret_halt(const Registers& at_exit, const Registers& start, Gva handlers,
                           const LinearReader& read);

}  // namespace hltest
