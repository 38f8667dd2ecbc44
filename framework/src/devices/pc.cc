#include "devices/pc.h"

#include "devices/pc_ports.h"
#include "devices/pit.h"

namespace hltest::internal {

Pc attach_pc(DeviceBus& bus, std::uint64_t memory_size,
             std::function<std::optional<std::uint8_t>()> next_key) {
  const auto put = [&bus](Port first, Port last, const std::shared_ptr<Device>& device) {
    bus.attach_beneath({.space = Space::kPort, .first = first, .last = last}, device);
  };
  auto pic = std::make_shared<Pic>();
  put(0x20, 0x21, pic);
  put(0xA0, 0xA1, pic);
  const auto pit = std::make_shared<Pit>(pic);
  put(0x40, 0x43, pit);
  put(0x61, 0x61, pit);
  const auto keyboard = std::make_shared<KeyboardController>(pic, std::move(next_key));
  put(0x60, 0x60, keyboard);
  put(0x64, 0x64, keyboard);
  put(0x70, 0x71, std::make_shared<Cmos>(memory_size));
  const auto vga = std::make_shared<Vga>();
  put(0x3C0, 0x3CF, vga);
  put(0x3D4, 0x3D5, vga);
  put(0x3DA, 0x3DA, vga);
  const auto control = std::make_shared<SystemControl>();
  put(0x92, 0x92, control);
  put(0xCF9, 0xCF9, control);
  return {.pic = pic, .keyboard = keyboard};
}

}  // namespace hltest::internal
