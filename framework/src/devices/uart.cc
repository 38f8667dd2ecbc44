// Texas Instruments TL16C550C data sheet: the registers, by their distance from the base.
#include "devices/uart.h"

#include <algorithm>

namespace hltest::internal {
namespace {

enum Register : unsigned {
  kData,
  kInterruptEnable,
  kIdentification,  // FIFO control, when written
  kLineControl,
  kModemControl,
  kLineStatus,
  kModemStatus,
  kScratch,
};

constexpr std::uint8_t kDivisorLatch = 0x80;  // of line control
constexpr std::uint8_t kLoop = 0x10;          // of modem control
constexpr std::uint8_t kOut2 = 0x08;          // which lets interrupts out of a PC's port
constexpr std::uint8_t kReceivedData = 0x01;  // of interrupt enable
constexpr std::uint8_t kTransmitterEmpty = 0x02;
constexpr std::uint8_t kNoInterrupt = 0x01;

}  // namespace

bool Uart::is_in_loop() const { return (state_.modem_control & kLoop) != 0; }

bool Uart::has_received() const {
  return is_in_loop() ? state_.looped > 0 : state_.received < input_().size();
}

std::uint8_t Uart::line_status() const {
  constexpr std::uint8_t kEmpty = 0x60;  // the holding and the shift register
  return kEmpty | (has_received() ? 1U : 0U);
}

std::uint8_t Uart::modem_status() const {
  constexpr std::uint8_t kConnected = 0xB0;  // DCD, DSR, CTS
  if (!is_in_loop()) return kConnected;
  // RTS to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD.
  const std::uint8_t control = state_.modem_control;
  return static_cast<std::uint8_t>((control & 2U) << 3U | (control & 1U) << 5U |
                                   (control & 4U) << 4U | (control & 8U) << 4U);
}

std::optional<std::uint8_t> Uart::receive() {
  if (!has_received()) return std::nullopt;
  if (!is_in_loop()) return static_cast<std::uint8_t>(input_()[state_.received++]);
  const std::uint8_t first = state_.loop[0];
  std::rotate(state_.loop.begin(), state_.loop.begin() + 1, state_.loop.end());
  --state_.looped;
  return first;
}

void Uart::transmit(std::uint8_t character) {
  state_.has_transmitted = true;
  if (!is_in_loop()) return;
  if (state_.looped < UartState::kFifo) state_.loop.at(state_.looped++) = character;
}

std::uint8_t Uart::identification() const {
  const std::uint8_t enabled = state_.interrupt_enable;
  if ((enabled & kReceivedData) != 0 && has_received()) return 0x04;
  if ((enabled & kTransmitterEmpty) != 0 && state_.has_transmitted) return 0x02;
  return kNoInterrupt;
}

void Uart::request_interrupt() {
  if ((state_.modem_control & kOut2) != 0 && identification() != kNoInterrupt) pic_->raise(irq_);
}

std::optional<std::uint64_t> Uart::read(const Access& access, GuestView& /*guest*/) {
  const bool is_latch_open = (state_.line_control & kDivisorLatch) != 0;
  switch (access.port() - base_) {
    case kData: {
      if (is_latch_open) return state_.divisor & 0xFFU;
      const std::uint8_t character = receive().value_or(0);
      request_interrupt();
      return character;
    }
    case kInterruptEnable:
      return is_latch_open ? state_.divisor >> 8U : state_.interrupt_enable;
    case kIdentification: {
      constexpr std::uint8_t kHasFifos = 0xC0;
      const std::uint8_t reason = identification();
      if (reason == 0x02) state_.has_transmitted = false;
      return reason | ((state_.fifo_control & 1U) != 0 ? kHasFifos : 0U);
    }
    case kLineControl:
      return state_.line_control;
    case kModemControl:
      return state_.modem_control;
    case kLineStatus:
      return line_status();
    case kModemStatus:
      return modem_status();
    default:
      return state_.scratch;
  }
}

bool Uart::write(const Access& access, GuestView& /*guest*/) {
  const auto value = static_cast<std::uint8_t>(access.value);
  const bool is_latch_open = (state_.line_control & kDivisorLatch) != 0;
  switch (access.port() - base_) {
    case kData:
      if (is_latch_open) {
        state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xFF00U) | value);
      } else {
        transmit(value);
      }
      break;
    case kInterruptEnable:
      if (is_latch_open) {
        state_.divisor =
            static_cast<std::uint16_t>((state_.divisor & 0xFFU) | unsigned{value} << 8U);
      } else {
        state_.interrupt_enable = value & 0x0FU;
        state_.has_transmitted = true;  // it is empty: to enable this interrupt raises it
      }
      break;
    case kIdentification:
      state_.fifo_control = value;
      if ((value & 2U) != 0) state_.looped = 0;
      break;
    case kLineControl:
      state_.line_control = value;
      break;
    case kModemControl:
      state_.modem_control = value & 0x1FU;
      break;
    case kScratch:
      state_.scratch = value;
      break;
    default:
      break;
  }
  request_interrupt();
  return true;
}

}  // namespace hltest::internal
