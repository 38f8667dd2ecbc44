#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <hltest/disk.h>

#include "bus/device_bus.h"
#include "devices/keyboard_controller.h"
#include "devices/pc_ports.h"
#include "devices/pic.h"
#include "devices/uart.h"
#include "devices/vga.h"

namespace hltest::internal {

/// Devices that a PC's BIOS uses.
struct Pc {
  std::shared_ptr<Pic> pic{};
  std::shared_ptr<KeyboardController> keyboard{};
  std::shared_ptr<Uart> com1{};
  std::shared_ptr<Cmos> cmos{};
  std::shared_ptr<Vga> vga{};
};

/// What is connected to a PC.
struct PcConnections {
  /// Takes the next key.
  std::function<std::optional<KeyStroke>()> next_key{};
  /// What arrives on COM1.
  std::function<const std::string&()> serial_input{};
  /// The disk of the first IDE channel's device 0 or 1; null where there is none.
  std::function<Disk*(unsigned device)> disk{};
};

/// Puts the devices of a PC on a bus, where the test has none of its own: interrupt controllers,
/// timer, keyboard controller, CMOS, VGA ports, serial ports COM1 to COM4, the first IDE channel,
/// ports 80h, 92h, E9h and CF9h. Returns those that a BIOS uses itself.
Pc attach_pc(DeviceBus& bus, std::uint64_t memory_size, const PcConnections& connections);

}  // namespace hltest::internal
