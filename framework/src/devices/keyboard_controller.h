#pragma once

#include <cstdint>
#include <functional>
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
  std::uint8_t release = 0;         ///< the code of the key that goes up next; 0 for none
};

/// The 8042 keyboard controller at ports 60h and 64h. Keys come while the guest waits in a HLT and
/// has a handler of its own for IRQ 1: each is pressed and released.
class KeyboardController : public PlainDevice<KeyboardControllerState> {
 public:
  /// `next_key` takes the scan code of the next key that is typed, or tells that there is none.
  KeyboardController(std::shared_ptr<Pic> pic,
                     std::function<std::optional<std::uint8_t>()> next_key)
      : pic_(std::move(pic)), next_key_(std::move(next_key)) {}

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  void halted(GuestView& guest) override;
  /// True while it has the code of a key that went down.
  [[nodiscard]] bool has_press() const { return state_.has_output && state_.output < 0x80; }
  /// What a handler reads at port 60h.
  std::uint8_t take() {
    state_.has_output = false;
    return state_.output;
  }

 private:
  void answer(std::uint8_t value) {
    state_.output = value;
    state_.has_output = true;
  }
  void take_command(std::uint8_t command, GuestView& guest);

  std::shared_ptr<Pic> pic_;
  std::function<std::optional<std::uint8_t>()> next_key_;
};

}  // namespace hltest::internal
