#pragma once

#include <vector>

#include <hltest/x86/registers.h>
#include "kvm/vcpu.h"
#include "machine/memory_snapshot.h"
#include "machine/start_state.h"
#include "trace/access_log.h"

namespace hltest {

/// What a vCPU has besides `Registers` that an instruction can depend on. Not: the time-stamp
/// counter, the local APIC's registers, pending events.
struct ExtendedState {
  kvm_xcrs xcrs{};
  kvm::XsaveArea xsave{};
  kvm_debugregs debugregs{};
  std::vector<MsrValue> msrs{};

  static ExtendedState of(const kvm::Vcpu& vcpu);
  void restore(kvm::Vcpu& vcpu) const;
};

/// A guest between two instructions: what another VM goes on from.
struct Checkpoint {
  Registers registers{};
  ExtendedState extended{};
  MemorySnapshot memory{};
  AccessLog log;
};

}  // namespace hltest
