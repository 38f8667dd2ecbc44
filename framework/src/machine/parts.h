#pragma once

#include <chrono>
#include <optional>

#include <hltest/machine.h>

#include "bios/bios_run.h"
#include "bus/device_bus.h"
#include "devices/pc.h"
#include "machine/interrupt_moments.h"
#include "vm/guest.h"
#include "vm/service_table.h"

namespace hltest::internal {

/// What a machine is made of.
struct MachineParts {
  explicit MachineParts(CpuMode mode) : state(mode), memory(state.memory_size(), mode) {}

  /// The BIOS begins a run as the test has set it up.
  void begin_bios();

  StartState state;
  GuestMemory memory;
  DeviceBus bus{};
  PortScripts ports{bus};
  MmioScripts mmio{bus};
  MsrScripts msrs{bus};
  ServiceTable services{};
  Bios bios{};
  Drives drives{};
  BiosRun bios_run{};  // of the last run, once one has booted
  std::vector<WantedInterrupt> interrupts{};
  Pc pc{};  // of no devices before the first that boots
  std::chrono::milliseconds timeout = Machine::kDefaultTimeout;

  std::optional<Guest> guest = std::nullopt;
  bool has_run = false;    // that guest's VM has been used
  bool has_ended = false;  // and what came of it is known
  bool is_running = false;
};

}  // namespace hltest::internal
