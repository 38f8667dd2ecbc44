#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <hltest/memory.h>
#include <hltest/tables.h>

#include "kvm/system.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "vm/delivered_interrupt.h"
#include "vm/snapshot.h"

namespace hltest::internal {

/// A VM with one vCPU and its memory. To be used from one thread, in the process that made it.
class Guest {
 public:
  /// A VM that has no memory yet. Throws `KvmUnavailable` where this host has no usable KVM.
  Guest();
  /// The guest of a snapshot, with memory of its own. Throws as `restore` does.
  explicit Guest(const Snapshot& snapshot);

  /// Brings it to the state of the snapshot, in place: its VM stays, but for one that has shut
  /// down. Throws `SetupError` for what this KVM refuses, `HostError`.
  void restore(const Snapshot& snapshot);
  /// The same for a VM that has not run, on memory that holds what the snapshot's does.
  void start(const Snapshot& snapshot, std::shared_ptr<Backing> memory);

  /// All of it, but for the state of devices, which it does not know. Pages that are as in `before`
  /// are shared with it. The guest must not be in the middle of an access.
  [[nodiscard]] Snapshot save(const Snapshot* before = nullptr);

  /// Cached until the guest runs again.
  [[nodiscard]] const Registers& registers() const;
  void set_registers(const Registers& registers);
  /// The value of an MSR; nothing where this KVM does not have it.
  [[nodiscard]] std::optional<std::uint64_t> msr(Msr msr) const { return vcpu().msr(msr); }

  [[nodiscard]] Backing& memory() { return *memory_; }
  [[nodiscard]] const Backing& memory() const { return *memory_; }
  [[nodiscard]] const std::shared_ptr<Backing>& shared_memory() const { return memory_; }
  /// The memory as devices see it: the machine's, or one of the guest's own.
  [[nodiscard]] GuestMemory& memory_view();
  void set_memory_view(GuestMemory* view) { view_ = view; }
  /// Opens or closes the A20 gate: while it is closed, the second MiB is the first one once more.
  /// Throws `SetupError` for a guest that did not start in real mode.
  void set_a20(bool is_open);
  [[nodiscard]] bool a20_is_open() const { return memory_->a20_is_open(); }
  /// One more memory slot, until the next `restore`.
  void add_memory_slot(Gpa gpa, std::span<std::uint8_t> memory);

  [[nodiscard]] GuestTables tables(const Registers& registers) const {
    return {registers, memory_, paging_features_};
  }
  [[nodiscard]] GuestTables tables() const { return tables(registers()); }
  [[nodiscard]] const PagingFeatures& paging_features() const { return paging_features_; }
  /// The registers that its run began with.
  [[nodiscard]] const Registers& start_registers() const {
    return start_.began_with ? *start_.began_with : start_.registers;
  }
  [[nodiscard]] Gva handlers() const { return memory_->layout().handlers(); }

  /// How many accesses it has made since its run began.
  [[nodiscard]] std::uint64_t accesses() const { return accesses_; }
  void count_access() { ++accesses_; }
  void count_interrupt(const DeliveredInterrupt& interrupt) {
    ++interrupts_;
    last_interrupt_ = interrupt;
  }
  /// The last one that was delivered since the guest was made or restored.
  [[nodiscard]] const std::optional<DeliveredInterrupt>& last_interrupt() const {
    return last_interrupt_;
  }
  /// How many instructions it was stepped through since its run began.
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
  void count_instruction() { ++instructions_; }

  [[nodiscard]] kvm::Vcpu& vcpu() { return vm_->vcpu; }
  [[nodiscard]] const kvm::Vcpu& vcpu() const { return vm_->vcpu; }
  /// Before the guest runs: what is known of its registers is not true any more.
  void forget_registers() { registers_.reset(); }
  /// After a shutdown a vCPU is of no use.
  void set_is_dead() { is_dead_ = true; }
  /// False in a child that was forked since: KVM refuses it this VM.
  [[nodiscard]] bool is_of_this_process() const;

 private:
  struct VirtualMachine {
    kvm::Vm vm;
    kvm::Vcpu vcpu;
  };
  explicit Guest(const kvm::System& system);
  void make_vm(const kvm::System& system);
  void set_memory_slots();
  // The memory of a region, at an address of the guest's.
  void set_memory_slot(std::uint32_t slot, Gpa gpa, const Region& region);
  void open_a20();
  void close_a20();
  void set_state(const Snapshot& snapshot);
  void show_cpuid(const CpuidEdits& edits);
  [[nodiscard]] std::vector<kvm::CpuidEntry> cpuid() const;
  void set_registers_of(const Snapshot& snapshot);

  std::shared_ptr<Backing> memory_;  // outlives the VM, whose slots it backs
  std::optional<VirtualMachine> vm_;
  pid_t process_;
  PagingFeatures paging_features_;
  std::uint32_t slots_ = 0;
  std::uint32_t a20_slots_ = 0;  // in use while the gate is closed
  CpuidEdits shown_cpuid_;
  std::vector<kvm::Vm::ServedMsrs> served_msrs_;
  bool is_dead_ = false;
  Snapshot start_;  // without its memory
  std::uint64_t accesses_ = 0;
  std::uint64_t interrupts_ = 0;
  std::optional<DeliveredInterrupt> last_interrupt_;
  std::uint64_t instructions_ = 0;
  GuestMemory* view_ = nullptr;
  std::optional<GuestMemory> own_view_;
  mutable std::optional<Registers> registers_;
};

}  // namespace hltest::internal
