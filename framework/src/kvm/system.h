#pragma once

#include <cstdint>
#include <vector>

#include "kvm/unique_fd.h"
#include "kvm/vm.h"

namespace hltest::internal::kvm {

/// /dev/kvm: what the host's KVM is and can do, and the maker of VMs (KVM's "system ioctls").
class System {
 public:
  /// Opens /dev/kvm and checks that it speaks API version 12, the only one there is.
  /// Throws `KvmUnavailable`, with a remedy, when it can't be used.
  System();

  /// The CPUID leaves that this KVM can give a guest (KVM_GET_SUPPORTED_CPUID).
  [[nodiscard]] std::vector<CpuidEntry> supported_cpuid() const;

  /// The MSRs that this KVM saves and restores (KVM_GET_MSR_INDEX_LIST).
  [[nodiscard]] std::vector<Msr> msr_index_list() const;

  /// An empty VM. Throws `KvmUnavailable` when the host has no room for one more.
  [[nodiscard]] Vm create_vm() const;

 private:
  UniqueFd fd_;
};

}  // namespace hltest::internal::kvm
