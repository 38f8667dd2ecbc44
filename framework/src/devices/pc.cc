#include "devices/pc.h"

#include <hltest/memory_layout.h>

#include "devices/ide.h"
#include "devices/pc_ports.h"
#include "devices/pit.h"

namespace hltest::internal {

namespace {

const std::string& no_input() {
  static const std::string none;
  return none;
}

}  // namespace

Pc attach_pc(DeviceBus& bus, std::uint64_t memory_size, const PcConnections& connections) {
  const auto put = [&bus](Port first, Port last, const std::shared_ptr<Device>& device) {
    bus.attach_beneath({.space = Space::kPort, .first = first, .last = last, .is_byte_wide = true},
                       device);
  };
  auto pic = std::make_shared<Pic>();
  put(0x20, 0x21, pic);
  put(0xA0, 0xA1, pic);
  const auto pit = std::make_shared<Pit>(pic);
  put(0x40, 0x43, pit);
  put(0x61, 0x61, pit);
  const auto keyboard = std::make_shared<KeyboardController>(pic, connections.next_key);
  put(0x60, 0x60, keyboard);
  put(0x64, 0x64, keyboard);
  const auto cmos = std::make_shared<Cmos>(memory_size, pic);
  put(0x70, 0x71, cmos);
  const auto vga = std::make_shared<Vga>();
  put(0x3C0, 0x3CF, vga);
  put(0x3D4, 0x3D5, vga);
  put(0x3DA, 0x3DA, vga);
  const auto control = std::make_shared<SystemControl>();
  put(0x92, 0x92, control);
  put(0xCF9, 0xCF9, control);
  const auto put_serial = [&](Port base, unsigned irq, const auto& input) {
    auto uart = std::make_shared<Uart>(base, pic, irq, input);
    put(base, static_cast<Port>(base + 7), uart);
    return uart;
  };
  const auto com1 = put_serial(kCom1, 4, connections.serial_input);
  put_serial(kCom2, 3, no_input);
  put_serial(kCom3, 4, no_input);
  put_serial(kCom4, 3, no_input);
  const auto ide = std::make_shared<Ide>(pic, connections.disk);
  bus.attach_beneath({.space = Space::kPort, .first = 0x1F0, .last = 0x1F0}, ide);  // 16 bits
  put(0x1F1, 0x1F7, ide);
  put(0x3F6, 0x3F6, ide);
  const auto debug = std::make_shared<DebugPorts>();
  put(kPostCode, kPostCode, debug);
  put(kDebugConsole, kDebugConsole, debug);
  return {.pic = pic, .keyboard = keyboard, .com1 = com1, .cmos = cmos, .vga = vga};
}

}  // namespace hltest::internal
