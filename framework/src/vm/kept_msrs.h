#pragma once

#include <vector>

#include <hltest/x86/msr.h>

#include "kvm/system.h"

namespace hltest::internal {

/// The MSRs of a snapshot: those that KVM lists for this (KVM_GET_MSR_INDEX_LIST), and those that
/// it leaves out and a guest can change all the same. Not: clocks, and what is among the registers.
std::vector<Msr> kept_msrs(const kvm::System& system);

}  // namespace hltest::internal
