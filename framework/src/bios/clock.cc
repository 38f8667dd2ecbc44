// INT 1Ah: the clock. Time passes by calls, never by the host's clock: each run is the same.
#include "bios/bios_data.h"
#include "bios/bios_run.h"

namespace hltest::internal {

void serve_clock(BiosCall& call) {
  Registers& r = call.registers();
  GuestMemory& memory = call.memory();
  call.set_carry(false);
  switch (r.ah()) {
    case 0x00: {
      call.call.name = "read ticks";
      // A guest that waits for the next one gets there.
      const std::uint32_t ticks = memory.read<std::uint32_t>(kBiosTicks) + 1;
      memory.write<std::uint32_t>(kBiosTicks, ticks);
      r.set_cx(static_cast<std::uint16_t>(ticks >> 16U));
      r.set_dx(static_cast<std::uint16_t>(ticks));
      r.set_al(memory.read<std::uint8_t>(kBiosMidnight));
      memory.write<std::uint8_t>(kBiosMidnight, 0);
      return;
    }
    case 0x01:
      call.call.name = "set ticks";
      memory.write<std::uint32_t>(kBiosTicks, std::uint32_t{r.cx()} << 16U | r.dx());
      memory.write<std::uint8_t>(kBiosMidnight, 0);
      return;
    case 0x02:  // 12:34:56, in BCD
      call.call.name = "read the time of the real-time clock";
      r.set_cx(0x1234);
      r.set_dx(0x5600);
      return;
    case 0x04:  // 2000-01-02, in BCD
      call.call.name = "read the date of the real-time clock";
      r.set_cx(0x2000);
      r.set_dx(0x0102);
      return;
    case 0x03:
    case 0x05:
      call.call.name = "set the real-time clock";
      return;
    default:
      refuse(call);
  }
}

}  // namespace hltest::internal
