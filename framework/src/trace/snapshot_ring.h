#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "bus/device_bus.h"
#include "vm/observer.h"

namespace hltest::internal {

using SharedSnapshot = std::shared_ptr<const Snapshot>;

/// Keeps the last moments of a run, for a replay to begin at: a snapshot every few milliseconds. A
/// run that is shorter costs nothing; of a longer one they take a twentieth of the time at most.
class SnapshotRing : public Observer {
 public:
  static constexpr std::chrono::microseconds kPeriod{4000};
  static constexpr std::size_t kMost = 4;

  /// `devices` may be null.
  explicit SnapshotRing(const DeviceBus* devices, std::chrono::microseconds period = kPeriod)
      : devices_(devices), period_(period) {}

  std::chrono::microseconds on_tick(Guest& guest) override;

  /// The oldest first.
  [[nodiscard]] std::vector<SharedSnapshot> snapshots() const {
    return {kept_.begin(), kept_.end()};
  }

 private:
  const DeviceBus* devices_;
  std::chrono::microseconds period_;
  std::deque<SharedSnapshot> kept_;
};

}  // namespace hltest::internal
