#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "bus/device_bus.h"
#include "devices/keyboard_controller.h"
#include "devices/pic.h"

namespace hltest::internal {

/// Devices that a PC's BIOS uses.
struct Pc {
  std::shared_ptr<Pic> pic{};
  std::shared_ptr<KeyboardController> keyboard{};
};

/// Puts the devices of a PC on a bus, where the test has none of its own: interrupt controllers,
/// timer, keyboard controller, CMOS, VGA ports, ports 92h and CF9h. `next_key` takes the scan code
/// of the next key. Returns those that a BIOS uses itself.
Pc attach_pc(DeviceBus& bus, std::uint64_t memory_size,
             std::function<std::optional<std::uint8_t>()> next_key);

}  // namespace hltest::internal
