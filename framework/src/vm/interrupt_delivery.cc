#include "vm/interrupt_delivery.h"

namespace hltest::internal {

std::optional<Vector> InterruptDelivery::due() {
  const std::optional<Vector> vector = bus_.interrupt();
  if (vector != requested_) {
    requested_ = vector;
    requested_since_ = guest_.accesses();
    requested_at_halt_ = false;
    if (!vector) guest_.vcpu().request_interrupt_window(false);
  }
  if (!vector) return std::nullopt;
  if (guest_.vcpu().is_ready_for_interrupt()) return vector;
  // While it steps, it is asked before each instruction.
  if (!limits_.single_step) guest_.vcpu().request_interrupt_window(true);
  return std::nullopt;
}

bool InterruptDelivery::wake(GuestView& guest) {
  if (bus_.interrupt()) return true;
  bus_.halted(guest);
  requested_ = bus_.interrupt();
  requested_since_ = guest_.accesses();
  requested_at_halt_ = requested_.has_value();
  return requested_.has_value();
}

void InterruptDelivery::deliver(Vector vector) {
  guest_.vcpu().request_interrupt_window(false);
  guest_.vcpu().inject_interrupt(vector);
  bus_.acknowledge(vector);
  guest_.count_interrupt();
  for (Observer* const observer : observers_) {
    observer->on_interrupt(
        {.access = requested_since_, .vector = vector, .at_halt = requested_at_halt_});
  }
  requested_.reset();
}

}  // namespace hltest::internal
