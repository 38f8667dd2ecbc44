#include "kvm/vm.h"
#include "kvm/error.h"
#include "kvm/ioctl.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

namespace hltest::kvm {

void Vm::set_memory_slot(std::uint32_t slot, Gpa gpa, std::span<std::uint8_t> memory,
                         SlotAccess access) {
  kvm_userspace_memory_region region{
      .slot = slot,
      .flags = access == SlotAccess::kReadOnly ? std::uint32_t{KVM_MEM_READONLY} : 0U,
      .guest_phys_addr = gpa.value(),
      .memory_size = memory.size(),
      .userspace_addr = std::bit_cast<std::uintptr_t>(memory.data())};
  call(fd_, kSetUserMemoryRegion, region,
       fmt::format("slot {}, {:#x} bytes at {}", slot, memory.size(), to_string(gpa)));
}

void Vm::set_tss_address(Gpa gpa) { call(fd_, kSetTssAddr, gpa.value(), to_string(gpa)); }

void Vm::serve_msrs(std::span<const ServedMsr> msrs) {
  kvm_enable_cap capability{};
  capability.cap = KVM_CAP_X86_USER_SPACE_MSR;
  capability.args[0] = KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER;
  call(fd_, kEnableCap, capability, "KVM_CAP_X86_USER_SPACE_MSR");

  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  std::uint64_t deny = 0;  // a bitmap of one MSR, which the kernel reads in whole longs
  for (std::size_t i = 0; i < std::min(msrs.size(), std::size(filter.ranges)); ++i) {
    filter.ranges[i] = {
        .flags = msrs[i].is_write ? std::uint32_t{KVM_MSR_FILTER_WRITE} : KVM_MSR_FILTER_READ,
        .nmsrs = 1,
        .base = msrs[i].index,
        .bitmap = std::bit_cast<std::uint8_t*>(&deny)};
  }
  call(fd_, kSetMsrFilter, filter, fmt::format("{} MSRs", msrs.size()));
}

Vcpu Vm::create_vcpu(std::uint32_t id) const {
  try {
    return Vcpu{UniqueFd{call(fd_, kCreateVcpu, id, fmt::format("vCPU {}", id))}, mmap_size_};
  } catch (const Error& error) {
    throw unavailable_because(error);
  }
}

}  // namespace hltest::kvm
