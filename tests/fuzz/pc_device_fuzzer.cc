// Any accesses to the devices of a PC, of every width, with interrupts taken and states put back: a
// device throws nothing, keeps within its disk, and goes on from its saved state as before.
#include <hltest/machine.h>

#include <array>

#include "../waiting_guest.h"
#include "bus/device_bus.h"
#include "devices/pc.h"
#include "input.h"

namespace {

using namespace hltest;
using namespace hltest::internal;

class FuzzedGuest : public WaitingGuest {
 public:
  FuzzedGuest() { memory_ = GuestMemory{1 * kMiB, CpuMode::kReal16}; }
  void stop(std::string condition) override { fuzz::require_one_line(condition); }
};

constexpr std::array<Port, 20> kPorts = {0x20, 0x21,  0x40,  0x42,  0x43,  0x60, 0x61,
                                         0x64, 0x70,  0x71,  0x80,  0x92,  0xA0, 0xA1,
                                         0xE9, 0x1F0, 0x1F7, 0x3D4, 0x3D5, 0x3F6};

Access any_access(FuzzedDataProvider& input) {
  // Mostly a port that has a device, and its neighbours.
  Port port = input.PickValueInArray(kPorts);
  if (input.ConsumeBool()) port = static_cast<Port>(port + input.ConsumeIntegralInRange(0, 7));
  if (input.ConsumeBool()) port = static_cast<Port>(0x3F8 + input.ConsumeIntegralInRange(0, 7));
  const std::uint8_t size =
      input.PickValueInArray({std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4}});
  const auto value = input.ConsumeIntegral<std::uint32_t>() & floating_bus(size);
  return input.ConsumeBool() ? Access::in(port, size, 0) : Access::out(port, size, value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  FuzzedGuest guest;
  guest.registers_.rflags.set(Rflags::kIf, input.ConsumeBool());
  guest.registers_.cr0.value = input.ConsumeBool() ? 1 : 0;
  const std::string serial_input = input.ConsumeRandomLengthString(8);
  Disk disk{1000};
  DeviceBus bus;
  attach_pc(bus, 16 * kMiB,
            {.next_key = [&input]() -> std::optional<KeyStroke> {
               if (input.remaining_bytes() == 0) return std::nullopt;
               return KeyStroke{.scan_code = input.ConsumeIntegral<std::uint8_t>(),
                                .with_shift = input.ConsumeBool()};
             },
             .serial_input = [&serial_input]() -> const std::string& { return serial_input; },
             .disk = [&disk](unsigned device) { return device == 0 ? &disk : nullptr; }});

  constexpr int kMostAccesses = 2000;
  for (int i = 0; i < kMostAccesses && input.remaining_bytes() > 0; ++i) {
    Access access = any_access(input);
    fuzz::require(bus.answer(access, guest), "a device answers");
    fuzz::require(access.value <= floating_bus(access.size), "a value has the access's width");
    if (input.ConsumeBool()) bus.halted(guest);
    if (const auto vector = bus.interrupt(); vector && input.ConsumeBool()) {
      bus.acknowledge(*vector);
    }
    if (i % 64 != 0) continue;
    const DeviceStates saved = bus.save();
    bus.restore(saved);
    fuzz::require(bus.save() == saved, "a state that is put back is the state");
  }
  return 0;
}
