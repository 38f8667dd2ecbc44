#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/cpuid.h>

namespace hltest::internal::kvm {

/// One answer of CPUID, as KVM keeps it (struct kvm_cpuid_entry2).
struct CpuidEntry {
  CpuidLeaf leaf{};
  std::uint32_t flags = 0;
  CpuidRegisters registers{};
  friend bool operator==(const CpuidEntry&, const CpuidEntry&) = default;
};

/// `host` with the changes of a test. A leaf that the host does not have is added.
std::vector<CpuidEntry> edited(const CpuidEdits& edits, std::vector<CpuidEntry> host);

/// What the guest would see that is not as wanted, in words; nothing where all is. `actual` is what
/// KVM made of `wanted`: there are KVMs that take a change and don't show it.
std::optional<std::string> difference(const CpuidEdits& edits,
                                      const std::vector<CpuidEntry>& wanted,
                                      const std::vector<CpuidEntry>& actual);

/// `host` as a guest without an interrupt controller has to see it: no local APIC, no x2APIC, no
/// TSC deadline.
std::vector<CpuidEntry> without_apic(std::vector<CpuidEntry> host);

/// The answer to a leaf; zeros where there is none.
CpuidRegisters answer(const std::vector<CpuidEntry>& entries, CpuidLeaf leaf);

}  // namespace hltest::internal::kvm
