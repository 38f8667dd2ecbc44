#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <hltest/x86/address.h>
#include "kvm/unique_fd.h"
#include "kvm/vcpu.h"

namespace hltest::internal::kvm {

/// What a guest may do with a memory slot.
enum class SlotAccess {
  kReadWrite,
  kReadOnly,  ///< a guest's write becomes an MMIO exit (KVM_MEM_READONLY)
};

/// One virtual machine: its memory slots and the maker of its vCPUs (KVM's "VM ioctls").
class Vm {
 public:
  Vm(UniqueFd fd, std::size_t vcpu_mmap_size) : fd_(std::move(fd)), mmap_size_(vcpu_mmap_size) {}

  /// Backs the guest-physical addresses from `gpa` on with `memory`, which has to outlive the VM.
  /// `gpa` and the size are multiples of 4 KiB, the slots don't overlap. Throws `HostError`.
  void set_memory_slot(std::uint32_t slot, Gpa gpa, std::span<std::uint8_t> memory,
                       SlotAccess access);

  /// Takes a slot's memory away. Throws `HostError`.
  void remove_memory_slot(std::uint32_t slot);

  /// Gives KVM three pages that Intel hosts need for real mode (KVM_SET_TSS_ADDR): below 4 GiB,
  /// outside every slot. Throws `HostError`.
  void set_tss_address(Gpa gpa);

  /// MSRs that `serve_msrs` takes from KVM.
  struct ServedMsrs {
    std::uint32_t first = 0;
    std::uint32_t count = 1;
    bool reads = true;
    bool writes = true;
    friend bool operator==(const ServedMsrs&, const ServedMsrs&) = default;
  };
  /// From now on, RDMSR or WRMSR of these, and of MSRs that this KVM does not know, are a `MsrExit`
  /// (KVM_CAP_X86_USER_SPACE_MSR and KVM_X86_SET_MSR_FILTER, in Linux from 5.10 on). Throws
  /// std::length_error for more than 16 ranges, and `HostError`.
  void serve_msrs(std::span<const ServedMsrs> msrs);

  /// Throws `KvmUnavailable` when the host has no room for one more.
  [[nodiscard]] Vcpu create_vcpu(std::uint32_t id) const;

 private:
  UniqueFd fd_;
  std::size_t mmap_size_;
};

}  // namespace hltest::internal::kvm
