#include "vm/guest.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <hltest/error.h>
#include <hltest/memory_layout.h>
#include <hltest/x86/paging_mode.h>

#include "vm/guest_memory.h"
#include "vm/kept_msrs.h"
#include "vm/processor_features.h"
#include "x86/registers/contradiction.h"

namespace hltest::internal {
namespace {

// Those of the list that this KVM has, and lets be set to what they are.
const std::vector<Msr>& msrs_of(kvm::Vcpu& vcpu) {
  static const std::vector<Msr> msrs = [&vcpu] {
    std::vector<Msr> known;
    for (const MsrValue& each : vcpu.msrs(kept_msrs(kvm::System{}))) {
      if (!vcpu.set_msrs(std::span{&each, 1})) known.push_back(each.msr);
    }
    return known;
  }();
  return msrs;
}

}  // namespace

Guest::Guest() : process_(getpid()) { make_vm(kvm::System{}); }

Guest::Guest(const Snapshot& snapshot) : Guest() { restore(snapshot); }

bool Guest::is_of_this_process() const { return process_ == getpid(); }

void Guest::make_vm(const kvm::System& system) {
  vm_.reset();
  kvm::Vm vm = system.create_vm();
  vm.set_tss_address(kKvmTssAddress);
  kvm::Vcpu vcpu = vm.create_vcpu(0);
  vcpu.set_cpuid(host_cpuid());
  vm_.emplace(VirtualMachine{std::move(vm), std::move(vcpu)});
  paging_features_ = paging_features_of(host_cpuid());
  slots_ = a20_slots_ = 0;
  shown_cpuid_ = {};
  served_msrs_.clear();
  is_dead_ = false;
  process_ = getpid();
  registers_.reset();
}

void Guest::restore(const Snapshot& snapshot) {
  // What KVM takes only before the guest has run, or can't take back, needs a new VM.
  const bool needs_vm = is_dead_ || !is_of_this_process() || snapshot.cpuid != shown_cpuid_ ||
                        snapshot.served_msrs != served_msrs_;
  if (needs_vm) make_vm(kvm::System{});
  own_view_.reset();
  if (a20_slots_ > 0) set_a20(true);
  const bool keeps_memory = memory_ != nullptr && memory_.use_count() == 1 && slots_ != 0 &&
                            memory_->layout() == snapshot.memory.layout() &&
                            slots_ == memory_->regions().size();
  if (keeps_memory) {
    memory_->clear();
    snapshot.memory.put_into(*memory_);
  } else {
    while (slots_ > 0) vm_->vm.remove_memory_slot(--slots_);
    memory_ = std::make_shared<Backing>(snapshot.memory.layout());
    snapshot.memory.put_into(*memory_);
    set_memory_slots();
  }
  set_state(snapshot);
}

void Guest::start(const Snapshot& snapshot, std::shared_ptr<Backing> memory) {
  memory_ = std::move(memory);
  set_memory_slots();
  set_state(snapshot);
}

void Guest::set_memory_slots() {
  for (const Region& region : memory_->regions()) set_memory_slot(slots_++, region.base, region);
}

void Guest::set_memory_slot(std::uint32_t slot, Gpa gpa, const Region& region) {
  const bool is_rom = region.kind == RegionKind::kRom && !memory_->layout().rom_is_writable;
  vm_->vm.set_memory_slot(slot, gpa, memory_->memory(region),
                          is_rom ? kvm::SlotAccess::kReadOnly : kvm::SlotAccess::kReadWrite);
}

void Guest::add_memory_slot(Gpa gpa, std::span<std::uint8_t> memory) {
  vm_->vm.set_memory_slot(slots_++, gpa, memory, kvm::SlotAccess::kReadWrite);
}

void Guest::set_state(const Snapshot& snapshot) {
  if (snapshot.cpuid != shown_cpuid_) show_cpuid(snapshot.cpuid);
  if (snapshot.served_msrs != served_msrs_) {
    vm_->vm.serve_msrs(snapshot.served_msrs);
    served_msrs_ = snapshot.served_msrs;
  }
  set_a20(snapshot.a20_is_open);
  set_registers_of(snapshot);
  if (snapshot.xstate) vcpu().set_xstate(*snapshot.xstate);
  if (snapshot.debug_registers) vcpu().set_debug_registers(*snapshot.debug_registers);
  if (snapshot.events) vcpu().set_pending_events(*snapshot.events);
  if (const auto refused = vcpu().set_msrs(snapshot.msrs)) {
    throw SetupError(fmt::format("{} = {:#x}: this KVM does not know the MSR, or refuses the value",
                                 to_string(refused->msr), refused->value));
  }
  memory_->set_guest_has_run();
  start_ = snapshot;
  start_.memory = {};
  accesses_ = snapshot.accesses;
  interrupts_ = snapshot.interrupts;
  last_interrupt_.reset();
  instructions_ = snapshot.instructions;
}

std::vector<kvm::CpuidEntry> Guest::cpuid() const { return edited(shown_cpuid_, host_cpuid()); }

void Guest::show_cpuid(const CpuidEdits& edits) {
  const std::vector<kvm::CpuidEntry> wanted = edited(edits, host_cpuid());
  try {
    vcpu().set_cpuid(wanted);
  } catch (const HostError& error) {
    throw SetupError(fmt::format("{}: this KVM refuses the CPUID that the test made: {}",
                                 error.what(), edits.describe()));
  }
  if (const auto wrong = difference(edits, wanted, vcpu().cpuid(wanted.size()))) {
    throw SetupError("this KVM does not show the guest the CPUID that the test wants: " + *wrong);
  }
  shown_cpuid_ = edits;
  paging_features_ = paging_features_of(wanted);
}

void Guest::set_registers_of(const Snapshot& snapshot) {
  const Registers& registers = snapshot.registers;
  try {
    set_registers(registers);
  } catch (const HostError& error) {
    if (error.error_number() != EINVAL) throw;
    std::string contradiction = contradiction_of(registers);
    if (contradiction.empty()) contradiction = missing_feature(registers, cpuid());
    throw SetupError(fmt::format(
        "{}: this KVM refuses cr0 = {:#x}, cr3 = {:#x}, cr4 = {:#x}, efer = {:#x}, cr8 = {:#x} or "
        "a segment: {}{}",
        error.what(), registers.cr0.value, registers.cr3.value, registers.cr4.value,
        registers.efer.value, registers.cr8,
        contradiction.empty()
            ? "they contradict one another, or have bits that the processor does not know"
            : contradiction,
        snapshot.cpuid.empty()
            ? ""
            : "; or the CPUID that the test made forbids them: " + snapshot.cpuid.describe()));
  }
  // There are KVMs that take 32-bit or PAE paging away without a word.
  if (registers.cr0.pg() && !registers.efer.lma() && !this->registers().cr0.pg()) {
    throw SetupError("this host's KVM can't run " + to_string(paging_mode(registers)) +
                     ": it has cleared CR0.PG");
  }
}

const Registers& Guest::registers() const {
  if (!registers_) registers_ = vcpu().registers();
  return *registers_;
}

GuestMemory& Guest::memory_view() {
  if (view_ != nullptr) return *view_;
  if (!own_view_) own_view_.emplace(MachineMemory::view_of(memory_));
  return *own_view_;
}

void Guest::set_registers(const Registers& registers) {
  vcpu().set_registers(registers);
  registers_.reset();
}

Snapshot Guest::save(const Snapshot* before) {
  return {.registers = registers(),
          .xstate = vcpu().xstate(),
          .debug_registers = vcpu().debug_registers(),
          .events = vcpu().pending_events(),
          .msrs = vcpu().msrs(msrs_of(vcpu())),
          .cpuid = shown_cpuid_,
          .served_msrs = served_msrs_,
          .memory = MemoryPages::copy_of(*memory_, before != nullptr ? &before->memory : nullptr),
          .a20_is_open = a20_is_open(),
          .accesses = accesses_,
          .interrupts = interrupts_,
          .instructions = instructions_,
          .began_with = start_registers()};
}

}  // namespace hltest::internal
