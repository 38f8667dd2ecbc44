// IRQ 0 and INT 1Ah: the clock. Time is counted in ticks, of the timer's interrupts and of the
// calls that ask for the time, never by the host's clock: each run is the same.
#include <array>
#include <cstring>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"
#include "bios/bios_run.h"

namespace hltest::internal {

// The BIOS's handler counts, and calls INT 1Ch: a handler of the guest's for that one runs next,
// and returns to where the timer came.
void serve_timer(BiosCall& call) {
  call.call.name = "a tick";
  GuestMemory& memory = call.memory();
  count_ticks(1, memory);
  if (call.bios.pic != nullptr) call.bios.pic->end_of_interrupt(0);
  constexpr Gpa kUserTimer{0x70};  // vector 1Ch
  const auto offset = memory.read<std::uint16_t>(kUserTimer);
  const auto segment = memory.read<std::uint16_t>(kUserTimer + 2);
  if (segment == kRomSegment) return;
  Registers& r = call.registers();
  const std::array<std::uint16_t, 3> frame = {r.ip(), r.cs.selector,
                                              static_cast<std::uint16_t>(r.rflags.value)};
  r.set_sp(static_cast<std::uint16_t>(r.sp() - sizeof frame));
  std::array<std::uint8_t, sizeof frame> bytes{};
  std::memcpy(bytes.data(), frame.data(), sizeof frame);
  call.write(call.address(r.ss, r.sp()), bytes);
  r.rip = offset;
  r.cs = Segment::real_mode(segment);
  r.cs.type = Segment::kCodeReadExecute;
  r.rflags.set(Rflags::kIf | Rflags::kTf, false);
}

namespace {

// AH = 02h to 05h, all in BCD. False for any other function, and without a clock.
bool serve_real_time_clock(BiosCall& call) {
  Registers& r = call.registers();
  if (call.bios.cmos == nullptr) return false;
  Cmos& cmos = *call.bios.cmos;
  switch (r.ah()) {
    case 0x02:
      call.call.name = "read the time of the real-time clock";
      r.set_ch(cmos.byte(Cmos::kHour));
      r.set_cl(cmos.byte(Cmos::kMinute));
      r.set_dh(cmos.byte(Cmos::kSecond));
      r.set_dl(0);  // no daylight saving
      return true;
    case 0x03:
      call.call.name = "set the time of the real-time clock";
      cmos.set_byte(Cmos::kHour, r.ch());
      cmos.set_byte(Cmos::kMinute, r.cl());
      cmos.set_byte(Cmos::kSecond, r.dh());
      return true;
    case 0x04:
      call.call.name = "read the date of the real-time clock";
      r.set_ch(cmos.byte(Cmos::kCentury));
      r.set_cl(cmos.byte(Cmos::kYear));
      r.set_dh(cmos.byte(Cmos::kMonth));
      r.set_dl(cmos.byte(Cmos::kDay));
      return true;
    case 0x05:
      call.call.name = "set the date of the real-time clock";
      cmos.set_byte(Cmos::kCentury, r.ch());
      cmos.set_byte(Cmos::kYear, r.cl());
      cmos.set_byte(Cmos::kMonth, r.dh());
      cmos.set_byte(Cmos::kDay, r.dl());
      return true;
    default:
      return false;
  }
}

}  // namespace

void serve_clock(BiosCall& call) {
  Registers& r = call.registers();
  GuestMemory& memory = call.memory();
  call.set_carry(false);
  switch (r.ah()) {
    case 0x00: {
      call.call.name = "read ticks";
      // A guest that waits for the next one gets there.
      count_ticks(1, memory);
      const auto ticks = memory.read<std::uint32_t>(kBiosTicks);
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
    default:
      if (!serve_real_time_clock(call)) refuse(call);
  }
}

}  // namespace hltest::internal
