#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bus/bus.h"
#include "vm/guest.h"
#include "vm/observer.h"
#include "vm/run.h"

namespace hltest::internal {

/// Brings the interrupts that devices request to the guest of one run.
class InterruptDelivery {
 public:
  InterruptDelivery(Guest& guest, Bus& bus, const Limits& limits,
                    std::span<Observer* const> observers)
      : guest_(guest), bus_(bus), limits_(limits), observers_(observers) {}

  /// What devices request, where the guest can take it now. Where it can't, and does not step, it
  /// will exit as soon as it can.
  std::optional<Vector> due();
  /// Lets devices request an interrupt for a guest that waits in a HLT; true when one does.
  bool wake(GuestView& guest);
  /// Delivers it when the guest is entered next, and tells the device and the observers.
  void deliver(Vector vector);

 private:
  Guest& guest_;
  Bus& bus_;
  const Limits& limits_;
  std::span<Observer* const> observers_;
  std::optional<Vector> requested_;
  std::uint64_t requested_since_ = 0;
  bool requested_at_halt_ = false;
};

}  // namespace hltest::internal
