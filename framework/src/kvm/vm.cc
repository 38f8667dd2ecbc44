#include "kvm/vm.h"
#include "kvm/error.h"
#include "kvm/ioctl.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace hltest::internal::kvm {

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

void Vm::remove_memory_slot(std::uint32_t slot) {
  kvm_userspace_memory_region region{
      .slot = slot, .flags = 0, .guest_phys_addr = 0, .memory_size = 0, .userspace_addr = 0};
  call(fd_, kSetUserMemoryRegion, region, fmt::format("slot {}, removed", slot));
}

void Vm::serve_msrs(std::span<const ServedMsrs> msrs) {
  kvm_enable_cap capability{};
  capability.cap = KVM_CAP_X86_USER_SPACE_MSR;
  capability.args[0] = KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER;
  call(fd_, kEnableCap, capability, "KVM_CAP_X86_USER_SPACE_MSR");

  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  if (msrs.size() > std::size(filter.ranges)) throw std::length_error("too many ranges of MSRs");
  std::vector<std::vector<std::uint64_t>> bitmaps;  // all 0: denied, and so left to us
  for (std::size_t i = 0; i < msrs.size(); ++i) {
    constexpr std::uint32_t kBits = 64;  // the kernel reads bitmaps in whole longs
    bitmaps.emplace_back((msrs[i].count + kBits - 1) / kBits);
    filter.ranges[i] = {.flags = (msrs[i].reads ? std::uint32_t{KVM_MSR_FILTER_READ} : 0U) |
                                 (msrs[i].writes ? std::uint32_t{KVM_MSR_FILTER_WRITE} : 0U),
                        .nmsrs = msrs[i].count,
                        .base = msrs[i].first,
                        .bitmap = std::bit_cast<std::uint8_t*>(bitmaps.back().data())};
  }
  call(fd_, kSetMsrFilter, filter, fmt::format("{} ranges", msrs.size()));
}

Vcpu Vm::create_vcpu(std::uint32_t id) const {
  try {
    return Vcpu{UniqueFd{call(fd_, kCreateVcpu, id, fmt::format("vCPU {}", id))}, mmap_size_};
  } catch (const HostError& error) {
    throw unavailable_because(error);
  }
}

}  // namespace hltest::internal::kvm
