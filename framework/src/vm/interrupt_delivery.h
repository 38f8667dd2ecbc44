#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bus/bus.h"
#include "vm/guest.h"
#include "vm/observer.h"

namespace hltest::internal {

/// Brings the interrupts that devices request to the guest of one run.
class InterruptDelivery {
 public:
  InterruptDelivery(Guest& guest, Bus& bus, std::span<Observer* const> observers)
      : guest_(guest), bus_(bus), observers_(observers) {}

  /// What devices request, where the guest can take it now. Where it can't, it will exit as soon as
  /// it can. A request that is new while the guest is stepped came at this instruction.
  std::optional<Vector> due(bool is_stepped);
  /// True while a request waits for the guest, which could not take it when `due` was asked.
  [[nodiscard]] bool is_waiting() const { return requested_ && is_held_off_; }
  /// The NMI that waits so: until the instruction after STI or a load of SS has been executed.
  [[nodiscard]] bool is_waiting_nmi() const {
    return is_waiting() && requested_->vector == Vector::kNonMaskableInterrupt;
  }
  /// The guest has come to a breakpoint, by which a device requests an interrupt.
  void set_breakpoint(Gva address) { breakpoint_ = address; }
  /// Lets devices request an interrupt for a guest that waits in a HLT, with interrupts enabled or
  /// not; true when one comes.
  bool wake(GuestView& guest, bool is_enabled);
  /// Delivers it when the guest is entered next, and tells the device and the observers.
  void deliver(Vector vector);

 private:
  Guest& guest_;
  Bus& bus_;
  std::span<Observer* const> observers_;
  std::optional<InterruptRequest> requested_;
  bool is_held_off_ = false;
  std::optional<Gva> breakpoint_;
};

}  // namespace hltest::internal
