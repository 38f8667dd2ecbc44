#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "bus/device_bus.h"
#include "devices/pic.h"

namespace hltest::internal {

/// Puts the devices of a PC on a bus, where the test has none of its own: interrupt controllers,
/// timer, keyboard controller, CMOS, VGA ports, ports 92h and CF9h. `next_key` takes the scan code
/// of the next key. Returns the interrupt controllers.
std::shared_ptr<Pic> attach_pc(DeviceBus& bus, std::uint64_t memory_size,
                               std::function<std::optional<std::uint8_t>()> next_key);

}  // namespace hltest::internal
