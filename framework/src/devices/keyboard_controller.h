#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>

#include "devices/pic.h"
#include "devices/state.h"

namespace hltest::internal {

struct KeyboardControllerState {
  std::uint8_t output = 0;
  bool has_output = false;
  std::uint8_t command = 0;  ///< that waits for a byte at port 60h; 0 for none
  std::uint8_t configuration = 0x41;
  std::uint8_t output_port = 0xDD;  ///< without the A20 gate, whose state is the guest's
  /// Bytes that come after `output`, and how many of them are left.
  std::array<std::uint8_t, 4> next{};
  std::uint8_t left = 0;
  bool are_codes = false;  ///< they are of a key, and come one at a time while the guest waits
};

/// A key that is typed.
struct KeyStroke {
  std::uint8_t scan_code = 0;
  bool with_shift = false;
};

/// The 8042 keyboard controller at ports 60h and 64h. Keys come while the guest waits in a HLT and
/// has a handler of its own for IRQ 1: each is pressed and released, with Shift where it needs
/// that.
class KeyboardController : public PlainDevice<KeyboardControllerState> {
 public:
  /// `next_key` takes the next key that is typed, or tells that there is none.
  KeyboardController(std::shared_ptr<Pic> pic, std::function<std::optional<KeyStroke>()> next_key)
      : pic_(std::move(pic)), next_key_(std::move(next_key)) {}

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  void halted(GuestView& guest) override;
  /// True while a handler reads the code of a key, not of Shift, that went down.
  [[nodiscard]] bool has_press() const { return state_.has_output && is_press(state_.output); }
  /// True while that code is one of those that are still to come.
  [[nodiscard]] bool is_about_to_press() const;
  /// What a handler reads at port 60h.
  std::uint8_t take();
  /// Takes the key whose code is to come.
  void take_press();

 private:
  static constexpr std::uint8_t kShift = 0x2A;
  static constexpr std::uint8_t kReleased = 0x80;
  static bool is_press(std::uint8_t code) { return code < kReleased && code != kShift; }
  void answer(std::initializer_list<std::uint8_t> bytes, bool are_codes = false);
  void send_next();
  void take_command(std::uint8_t command, GuestView& guest);
  void command_keyboard(std::uint8_t command);

  std::shared_ptr<Pic> pic_;
  std::function<std::optional<KeyStroke>()> next_key_;
};

}  // namespace hltest::internal
