#pragma once

#include "../waiting_guest.h"

namespace hltest::internal {

/// A device on a bus, accessed as a guest would.
class Wired {
 public:
  explicit Wired(Device& device) : device_(device) {}
  void out(Port port, std::uint64_t value, std::uint8_t size = 1) {
    device_.write(Access::out(port, size, value), guest);
  }
  std::uint64_t in(Port port, std::uint8_t size = 1) {
    return device_.read(Access::in(port, size, 0), guest).value() & floating_bus(size);
  }
  WaitingGuest guest;

 private:
  Device& device_;
};

}  // namespace hltest::internal
