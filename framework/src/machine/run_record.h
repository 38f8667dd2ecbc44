#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devices/vga.h"
#include "trace/snapshot_ring.h"
#include "vm/snapshot.h"

namespace hltest::internal {

/// What a run leaves for its diagnosis.
struct RunRecord {
  std::uint64_t id = 0;  ///< of this run, as no other of the process has it
  SharedSnapshot start{};
  std::vector<SharedSnapshot> recent{};     ///< the last moments of a long run, the oldest first
  SharedSnapshot end{};                     ///< of a guest that timed out
  std::shared_ptr<const Backing> memory{};  ///< at the end
  std::optional<Display> display{};         ///< at the end, of a guest that booted
  PagingFeatures paging_features{};
  /// The test's interrupts that the guest did not get, each in a sentence.
  std::vector<std::string> missed_interrupts{};
  std::vector<unsigned> own_vectors{};  ///< of the exceptions, those that the test wrote to the IVT
};

}  // namespace hltest::internal
