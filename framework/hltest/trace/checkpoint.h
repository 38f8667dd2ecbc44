#pragma once

#include <optional>
#include <vector>

#include <hltest/kvm/vcpu.h>
#include <hltest/machine/guest_memory.h>
#include <hltest/machine/memory_snapshot.h>
#include <hltest/machine/start_state.h>
#include <hltest/trace/access_log.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// A guest between two instructions: what another VM goes on from.
struct Checkpoint {
  Registers registers{};
  kvm::XsaveArea xsave{};
  std::vector<MsrValue> msrs{};
  MemorySnapshot memory{};
  AccessLog log;
};

/// The MSRs of a guest's that this KVM has and an instruction can depend on, but for those that are
/// in `Registers`.
std::vector<MsrValue> read_msrs(const kvm::Vcpu& vcpu);

}  // namespace hltest
