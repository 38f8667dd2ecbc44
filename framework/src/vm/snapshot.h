#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/x86/cpuid.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/xstate.h>

#include "bus/device_bus.h"
#include "kvm/vm.h"
#include "vm/memory_pages.h"
#include "x86/registers/processor_state.h"

namespace hltest::internal {

/// All of a guest at one moment: what it begins a run with, or has come to. A value; copies share
/// the memory's pages. Not in it: the time-stamp counter and KVM's clocks.
struct Snapshot {
  Registers registers{};
  /// What is not given is as a new vCPU has it.
  std::optional<XState> xstate = std::nullopt;
  std::optional<DebugRegisters> debug_registers = std::nullopt;
  std::optional<PendingEvents> events = std::nullopt;
  std::vector<MsrValue> msrs{};

  CpuidEdits cpuid{};
  std::vector<kvm::Vm::ServedMsrs> served_msrs{};  ///< MSRs that a device answers for
  MemoryPages memory{};
  bool a20_is_open = true;
  DeviceStates devices{};
  std::uint64_t accesses = 0;      ///< that the guest has made since its run began
  std::uint64_t interrupts = 0;    ///< of devices that were delivered to it since then
  std::uint64_t instructions = 0;  ///< that it was stepped through since then
  /// The registers that its run began with, where this is a later moment.
  std::optional<Registers> began_with = std::nullopt;

  [[nodiscard]] CpuMode start_mode() const { return memory.layout().start_mode; }
};

}  // namespace hltest::internal
