#pragma once

#include "devices/state.h"

namespace hltest::internal {

struct InterruptAtHaltState {
  unsigned left = 0;  ///< HLTs that are still to be interrupted
  bool is_requested = false;
};

/// Requests one interrupt at each of the guest's next HLTs (`Machine::interrupt`).
class InterruptAtHalt : public PlainDevice<InterruptAtHaltState> {
 public:
  InterruptAtHalt(Vector vector, unsigned times) : vector_(vector) { state_.left = times; }

  [[nodiscard]] std::optional<Vector> interrupt() const override {
    return state_.is_requested ? std::optional{vector_} : std::nullopt;
  }
  void acknowledge(Vector /*vector*/) override { state_.is_requested = false; }
  void halted(GuestView& guest) override {
    if (state_.left == 0 || !guest.registers().rflags.if_()) return;
    --state_.left;
    state_.is_requested = true;
  }

 private:
  Vector vector_;
};

}  // namespace hltest::internal
