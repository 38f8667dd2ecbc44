#pragma once

#include <hltest/x86/registers.h>
#include "kvm/system.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "machine/guest_memory.h"
#include "machine/recording.h"

namespace hltest {

/// A VM with one vCPU, for one run.
class GuestVm {
 public:
  /// Throws `kvm::Unavailable` where this host has no usable KVM.
  GuestVm();

  /// Gives it all that a guest begins with. `memory` has to outlive it. Throws `SetupError` for
  /// what this KVM refuses, `kvm::Error`.
  void start(const Recording& recording, const GuestMemory& memory);
  /// One more memory slot, besides those of `start`. Throws `kvm::Error`.
  void add_memory_slot(Gpa gpa, std::span<std::uint8_t> memory);

  /// MAXPHYADDR (SDM vol. 2, CPUID leaf 80000008H).
  [[nodiscard]] unsigned physical_bits() const { return physical_bits_; }
  [[nodiscard]] kvm::Vcpu& vcpu() { return vcpu_; }
  [[nodiscard]] const kvm::Vcpu& vcpu() const { return vcpu_; }

 private:
  explicit GuestVm(const kvm::System& system);
  void show_cpuid(const kvm::Cpuid& cpuid);
  void give_memory_slots(const GuestMemory& memory);
  void set_registers(const Recording& recording);

  kvm::Vm vm_;
  kvm::Vcpu vcpu_;
  unsigned physical_bits_;
  std::uint32_t slots_ = 0;
};

}  // namespace hltest
