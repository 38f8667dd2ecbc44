#pragma once

#include "devices/state.h"

namespace hltest::internal {

struct RequestedInterruptState {
  bool is_requested = false;
};

/// Requests one interrupt whenever it is told to.
class RequestedInterrupt : public PlainDevice<RequestedInterruptState> {
 public:
  explicit RequestedInterrupt(Vector vector) : vector_(vector) {}

  void request() { state_.is_requested = true; }
  [[nodiscard]] std::optional<Vector> interrupt() const override {
    return state_.is_requested ? std::optional{vector_} : std::nullopt;
  }
  void acknowledge(Vector /*vector*/) override { state_.is_requested = false; }

 private:
  Vector vector_;
};

}  // namespace hltest::internal
