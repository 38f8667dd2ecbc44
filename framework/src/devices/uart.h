#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "devices/pic.h"
#include "devices/state.h"

namespace hltest::internal {

struct UartState {
  static constexpr std::size_t kFifo = 16;

  std::uint64_t received = 0;  ///< characters of its input that were read
  std::uint16_t divisor = 12;  ///< 9600 baud
  std::uint8_t interrupt_enable = 0;
  std::uint8_t fifo_control = 0;
  std::uint8_t line_control = 3;  ///< 8 bits, no parity, 1 stop bit
  std::uint8_t modem_control = 0;
  std::uint8_t scratch = 0;
  bool has_transmitted = false;  ///< since the identification register was read
  std::uint8_t looped = 0;       ///< characters in the loop
  std::array<std::uint8_t, kFifo> loop{};
};

/// A 16550 serial port, eight ports from `base` on. It transmits at once (the log has what), and a
/// character of its input has arrived whenever the one before it was read.
class Uart : public PlainDevice<UartState> {
 public:
  /// `input` is what it receives in this run.
  Uart(Port base, std::shared_ptr<Pic> pic, unsigned irq, std::function<const std::string&()> input)
      : base_(base), pic_(std::move(pic)), irq_(irq), input_(std::move(input)) {}

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;

  /// The next character that it has received, which is read by this.
  std::optional<std::uint8_t> receive();

 private:
  [[nodiscard]] std::uint8_t line_status() const;
  [[nodiscard]] std::uint8_t modem_status() const;
  [[nodiscard]] bool is_in_loop() const;
  [[nodiscard]] bool has_received() const;
  void transmit(std::uint8_t character);
  // 1 while there is none; otherwise the highest of the reasons for an interrupt.
  [[nodiscard]] std::uint8_t identification() const;
  void request_interrupt();

  Port base_;
  std::shared_ptr<Pic> pic_;
  unsigned irq_;
  std::function<const std::string&()> input_;
};

}  // namespace hltest::internal
