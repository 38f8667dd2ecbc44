#include "machine/guest_vm.h"
#include <hltest/memory_layout.h>
#include "kvm/error.h"
#include "machine/setup.h"
#include "machine/vcpu_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace hltest {
namespace {

// The same for every VM of a process, and not quick to ask for.
const std::vector<kvm_cpuid_entry2>& host_cpuid(const kvm::System& system) {
  static const std::vector<kvm_cpuid_entry2> entries = system.supported_cpuid();
  return entries;
}

unsigned physical_address_bits(const std::vector<kvm_cpuid_entry2>& cpuid) {
  constexpr std::uint32_t kAddressSizes = 0x8000'0008;
  for (const kvm_cpuid_entry2& entry : cpuid) {
    if (entry.function == kAddressSizes) return std::clamp(entry.eax & 0xFFU, 32U, 52U);
  }
  return 36;
}

kvm::Vm create_vm(const kvm::System& system) {
  kvm::Vm vm = system.create_vm();
  vm.set_tss_address(kKvmTssAddress);
  return vm;
}

}  // namespace

GuestVm::GuestVm() : GuestVm(kvm::System{}) {}

GuestVm::GuestVm(const kvm::System& system)
    : vm_(create_vm(system)),
      vcpu_(vm_.create_vcpu(0)),
      physical_bits_(physical_address_bits(host_cpuid(system))) {
  vcpu_.set_cpuid(host_cpuid(system));
}

void GuestVm::start(const Recording& recording, const GuestMemory& memory) {
  if (recording.cpuid.is_changed()) show_cpuid(recording.cpuid);
  if (!recording.served_msrs.empty()) vm_.serve_msrs(recording.served_msrs);
  give_memory_slots(memory);
  set_registers(recording);
}

void GuestVm::show_cpuid(const kvm::Cpuid& cpuid) {
  const std::vector<kvm_cpuid_entry2> wanted = cpuid.apply(host_cpuid(kvm::System{}));
  try {
    vcpu_.set_cpuid(wanted);
  } catch (const kvm::Error& error) {
    throw SetupError(fmt::format("{}: this KVM refuses the CPUID that the test made: {}",
                                 error.what(), cpuid.describe_changes()));
  }
  if (const auto difference = cpuid.difference(wanted, vcpu_.cpuid(wanted.size()))) {
    throw SetupError("this KVM does not show the guest the CPUID that the test wants: " +
                     *difference);
  }
}

void GuestVm::give_memory_slots(const GuestMemory& memory) {
  for (const MemoryRegion& region : memory.regions()) {
    vm_.set_memory_slot(slots_++, region.base, region.bytes,
                        region.kind == MemoryRegion::Kind::kRom ? kvm::SlotAccess::kReadOnly
                                                                : kvm::SlotAccess::kReadWrite);
  }
}

void GuestVm::add_memory_slot(Gpa gpa, std::span<std::uint8_t> memory) {
  vm_.set_memory_slot(slots_++, gpa, memory, kvm::SlotAccess::kReadWrite);
}

void GuestVm::set_registers(const Recording& recording) {
  const Registers& registers = recording.registers;
  try {
    write_registers(vcpu_, registers);
  } catch (const kvm::Error& error) {
    if (error.code().value() != EINVAL) throw;
    throw SetupError(fmt::format(
        "{}: this KVM refuses cr0 = {:#x}, cr3 = {:#x}, cr4 = {:#x}, efer = {:#x} or a "
        "segment: they contradict one another, or have bits that the processor does "
        "not know{}",
        error.what(), registers.cr0.value, registers.cr3.value, registers.cr4.value,
        registers.efer.value,
        recording.cpuid.is_changed() ? "; or the CPUID that the test made forbids them: " +
                                           recording.cpuid.describe_changes()
                                     : ""));
  }
  // There are KVMs that take 32-bit or PAE paging away without a word.
  if (registers.cr0.pg() && !registers.efer.lma() && !read_registers(vcpu_).cr0.pg()) {
    throw SetupError("this host's KVM can't run " + to_string(paging_mode(registers)) +
                     ": it has cleared CR0.PG");
  }
  for (const auto& [msr, value] : recording.msrs) {
    if (vcpu_.set_msr(static_cast<std::uint32_t>(msr), value)) continue;
    throw SetupError(fmt::format("{} = {:#x}: this KVM does not know the MSR, or refuses the value",
                                 to_string(msr), value));
  }
}

}  // namespace hltest
