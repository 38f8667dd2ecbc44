#pragma once

#include <cstdint>

#include <hltest/x86/vector.h>

namespace hltest::internal {

/// An interrupt of a device's that was delivered to a guest, and where the guest was then.
struct DeliveredInterrupt {
  Vector vector{};
  std::uint16_t cs = 0;
  std::uint64_t rip = 0;
};

}  // namespace hltest::internal
