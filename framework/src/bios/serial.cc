// INT 14h: the serial ports.
#include <optional>
#include <string>

#include "bios/bios_run.h"

namespace hltest::internal {
namespace {

// The data area has the ports of COM1 to COM4, and 0 for a missing one.
bool has_serial_port(const BiosCall& call) {
  constexpr Gpa kPorts{0x400};
  constexpr unsigned kMost = 4;
  const unsigned number = call.call.before.dx();
  return number < kMost && call.memory().read<std::uint16_t>(kPorts + number * 2ULL) != 0;
}

std::optional<std::uint8_t> received(BiosCall& call) {
  if (call.registers().dx() != 0 || call.bios.com1 == nullptr) return std::nullopt;
  return call.bios.com1->receive();
}

}  // namespace

void serve_serial(BiosCall& call) {
  Registers& r = call.registers();
  constexpr std::uint8_t kReady = 0x60;                   // the transmitter is empty
  constexpr std::uint8_t kTimeout = 0x80;                 // nothing is received
  constexpr std::uint16_t kStatus = kReady << 8U | 0xB0;  // and DCD, DSR, CTS: it is connected
  if (!has_serial_port(call)) {
    call.call.name = "a serial port that is missing";
    return;
  }
  switch (r.ah()) {
    case 0x00:
      call.call.name = "set a serial port up";
      r.set_ax(kStatus);
      return;
    case 0x01:
      call.call.name = "send to a serial port";
      call.call.text = std::string(1, static_cast<char>(r.al()));
      r.set_ah(kReady);
      return;
    case 0x02:
      call.call.name = "receive from a serial port";
      if (const auto character = received(call)) {
        r.set_al(*character);
        r.set_ah(kReady);
      } else {
        r.set_ah(kTimeout);
      }
      return;
    case 0x03:
      call.call.name = "read the status of a serial port";
      r.set_ax(kStatus);
      return;
    default:
      refuse(call);
  }
}

}  // namespace hltest::internal
