#include "vm/interrupt_delivery.h"

#include <utility>

namespace hltest::internal {

std::optional<Vector> InterruptDelivery::due(bool is_stepped) {
  const std::optional<Vector> vector = bus_.interrupt();
  const std::optional<Gva> breakpoint = std::exchange(breakpoint_, std::nullopt);
  if (!vector) {
    if (requested_) guest_.vcpu().request_interrupt_window(false);
    requested_.reset();
    return std::nullopt;
  }
  if (!requested_ || requested_->vector != *vector) {
    requested_ = {.access = guest_.accesses(), .vector = *vector, .address = breakpoint};
    if (is_stepped) requested_->instructions = guest_.instructions();
  }
  const bool is_nmi = vector == Vector::kNonMaskableInterrupt;
  // Some KVMs deliver an NMI that they hold off only after a later exit.
  is_held_off_ = is_nmi ? guest_.vcpu().pending_events().interrupt.shadow != 0
                        : !guest_.vcpu().is_ready_for_interrupt();
  if (!is_held_off_) return vector;
  if (!is_nmi) guest_.vcpu().request_interrupt_window(true);
  return std::nullopt;
}

bool InterruptDelivery::wake(GuestView& guest, bool is_enabled) {
  const auto can_come = [is_enabled](const std::optional<Vector>& vector) {
    return vector && (is_enabled || vector == Vector::kNonMaskableInterrupt);
  };
  if (can_come(bus_.interrupt())) return true;
  for (Observer* const observer : observers_) observer->on_halt(guest);
  if (!bus_.interrupt() && is_enabled) bus_.halted(guest);
  const std::optional<Vector> vector = bus_.interrupt();
  if (!can_come(vector)) return false;
  requested_ = {.access = guest_.accesses(), .vector = *vector, .at_halt = true};
  is_held_off_ = false;
  return true;
}

void InterruptDelivery::deliver(Vector vector) {
  guest_.vcpu().request_interrupt_window(false);
  if (vector == Vector::kNonMaskableInterrupt) {
    guest_.vcpu().inject_nmi();
  } else {
    guest_.vcpu().inject_interrupt(vector);
  }
  bus_.acknowledge(vector);
  const Registers& registers = guest_.registers();
  guest_.count_interrupt({.vector = vector, .cs = registers.cs.selector, .rip = registers.rip});
  for (Observer* const observer : observers_) observer->on_interrupt(*requested_);
  requested_.reset();
}

}  // namespace hltest::internal
