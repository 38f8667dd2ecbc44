#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>
#include "kvm/cpuid.h"
#include "kvm/vm.h"
#include "machine/memory_snapshot.h"
#include "machine/start_state.h"

namespace hltest {

/// All that a run's guest began with, and what the test's handlers did to its memory: with the logs
/// in its `Outcome` it can be run once more, to the same end (trace/replay.h).
struct Recording {
  CpuMode start_mode{};
  Registers registers{};
  std::vector<MsrValue> msrs{};
  kvm::Cpuid cpuid{};
  std::vector<kvm::Vm::ServedMsr> served_msrs{};
  /// Nothing where the memory held too much for a snapshot, or the handlers have written too much.
  std::optional<MemorySnapshot> memory = std::nullopt;

  struct HandlerWrite {
    std::uint64_t access = 0;  ///< the port, MMIO and MSR accesses of the run before that one
    Gpa gpa{};
    std::vector<std::uint8_t> bytes{};
  };
  std::vector<HandlerWrite> handler_writes{};
  std::uint64_t handler_bytes = 0;  ///< of those writes

  /// Remembers one, or gives up both the memory and the writes where they come to too much.
  void add(HandlerWrite write) {
    handler_bytes += sizeof write + write.bytes.size();
    if (handler_bytes <= MemorySnapshot::kMostBytes) {
      handler_writes.push_back(std::move(write));
      return;
    }
    memory.reset();
    handler_writes = {};
  }
};

}  // namespace hltest
