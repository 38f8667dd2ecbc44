#pragma once

#include <hltest/x86/registers.h>
#include "kvm/vcpu.h"

namespace hltest {

/// The vCPU's registers as KVM has them.
Registers read_registers(const kvm::Vcpu& vcpu);

/// Gives the vCPU these registers. Throws `kvm::Error`; KVM_SET_SREGS says EINVAL for segments and
/// control registers that can't be.
void write_registers(kvm::Vcpu& vcpu, const Registers& registers);

}  // namespace hltest
