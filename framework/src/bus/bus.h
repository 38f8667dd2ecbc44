#pragma once

#include <optional>

#include <hltest/device.h>

namespace hltest::internal {

/// What answers a guest's accesses.
class Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;

  /// Answers one access: fills in the value of a read, and `answered`. Returns false for an access
  /// that must not happen here, which ends the run.
  virtual bool answer(Access& access, GuestView& guest) = 0;

  /// The interrupt that a device requests.
  [[nodiscard]] virtual std::optional<Vector> interrupt() const { return std::nullopt; }
  /// The guest waits in a HLT: a device may request an interrupt now.
  virtual void halted(GuestView& /*guest*/) {}
  /// The processor has taken it.
  virtual void acknowledge(Vector /*vector*/) {}
};

}  // namespace hltest::internal
