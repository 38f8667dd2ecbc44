#pragma once

#include <functional>

#include <hltest/x86/registers.h>
#include "kvm/exit.h"
#include "kvm/vcpu.h"

namespace hltest {

/// Answers an access of the guest's to a port, MMIO or an MSR; false where it does not.
using AccessServer = std::function<bool(const kvm::Exit& exit)>;

/// Ends the instruction whose access has just been answered, with all further accesses that it
/// makes. A `DebugExit` or `InterruptedExit` when it is done, else the exit that was not answered.
kvm::Exit finish_access(kvm::Vcpu& vcpu, const AccessServer& serve);

/// Executes one instruction from `before` on, the registers there; of a string instruction one
/// element. A `DebugExit` when it is done, else what ended it.
kvm::Exit single_step(kvm::Vcpu& vcpu, const Registers& before, const AccessServer& serve);

}  // namespace hltest
