#include <hltest/kvm/error.h>
#include <hltest/kvm/ioctl.h>
#include <hltest/kvm/vm.h>

#include <fmt/format.h>

#include <bit>

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

Vcpu Vm::create_vcpu(std::uint32_t id) const {
  try {
    return Vcpu{UniqueFd{call(fd_, kCreateVcpu, id, fmt::format("vCPU {}", id))}, mmap_size_};
  } catch (const Error& error) {
    throw unavailable_because(error);
  }
}

}  // namespace hltest::kvm
