#pragma once

#include <string>
#include <vector>

#include <hltest/tables.h>
#include <hltest/x86/cpuid.h>
#include <hltest/x86/registers.h>

#include "kvm/cpuid.h"

/// What CPUID shows that a guest's processor has.
namespace hltest::internal {

/// The host's CPUID as guests see it, without a local APIC: the same for every VM of a process.
/// Throws `KvmUnavailable`, `HostError`.
const std::vector<kvm::CpuidEntry>& host_cpuid();

PagingFeatures paging_features_of(const std::vector<kvm::CpuidEntry>& cpuid);
/// Those of a guest with these changes of CPUID. Throws likewise.
PagingFeatures paging_features_of(const CpuidEdits& edits);

/// A bit of CR4 that is set though CPUID lacks its feature, in words; empty if there is none.
std::string missing_feature(const Registers& registers, const std::vector<kvm::CpuidEntry>& cpuid);

}  // namespace hltest::internal
