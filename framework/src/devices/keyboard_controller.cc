// IBM PC/AT Technical Reference: the keyboard controller's commands.
#include "devices/keyboard_controller.h"

#include <algorithm>

namespace hltest::internal {
namespace {

constexpr Port kData = 0x60;
constexpr std::uint8_t kAcknowledge = 0xFA;
constexpr std::uint8_t kReset = 0xFE;
constexpr std::uint8_t kA20 = 2;  // of the output port

}  // namespace

void KeyboardController::answer(std::initializer_list<std::uint8_t> bytes, bool are_codes) {
  state_.output = *bytes.begin();
  state_.has_output = true;
  std::ranges::fill(state_.next, std::uint8_t{0});
  std::copy(bytes.begin() + 1, bytes.end(), state_.next.begin());
  state_.left = static_cast<std::uint8_t>(bytes.size() - 1);
  state_.are_codes = are_codes;
}

bool KeyboardController::is_about_to_press() const {
  const auto codes = std::span{state_.next}.first(state_.left);
  return has_press() || (state_.are_codes && std::ranges::any_of(codes, is_press));
}

std::uint8_t KeyboardController::take() {
  const std::uint8_t taken = state_.output;
  state_.has_output = false;
  if (!state_.are_codes) send_next();
  return taken;
}

void KeyboardController::take_press() {
  state_.has_output = false;
  state_.left = 0;
}

void KeyboardController::send_next() {
  if (state_.left == 0) return;
  state_.output = state_.next.front();
  state_.has_output = true;
  std::shift_left(state_.next.begin(), state_.next.end(), 1);
  --state_.left;
}

std::optional<std::uint64_t> KeyboardController::read(const Access& access, GuestView& /*guest*/) {
  if (access.port() == kData) return take();
  constexpr std::uint8_t kSelfTestPassed = 0x04;
  constexpr std::uint8_t kUnlocked = 0x10;
  return kSelfTestPassed | kUnlocked | (state_.has_output ? 1U : 0U);
}

bool KeyboardController::write(const Access& access, GuestView& guest) {
  const auto value = static_cast<std::uint8_t>(access.value);
  if (access.port() != kData) {
    take_command(value, guest);
    return true;
  }
  switch (state_.command) {
    case 0x60:
      state_.configuration = value;
      break;
    case 0xD1:
      state_.output_port = static_cast<std::uint8_t>(value & ~kA20);
      guest.set_a20((value & kA20) != 0);
      if ((value & 1U) == 0) guest.stop("it rebooted (the keyboard controller's reset line)");
      break;
    case 0xD2:
      answer({value});
      break;
    case 0:
      command_keyboard(value);
      break;
    default:
      break;
  }
  state_.command = 0;
  return true;
}

void KeyboardController::command_keyboard(std::uint8_t command) {
  switch (command) {
    case 0xEE:
      return answer({0xEE});  // echo
    case 0xF2:
      return answer({kAcknowledge, 0xAB, 0x83});  // what it is: an MF2 keyboard
    case 0xFF:
      return answer({kAcknowledge, 0xAA});  // the self-test passed
    default:
      return answer({kAcknowledge});
  }
}

void KeyboardController::take_command(std::uint8_t command, GuestView& guest) {
  switch (command) {
    case 0x20:
      return answer({state_.configuration});
    case 0x60:
    case 0xD1:
    case 0xD2:
      state_.command = command;
      return;
    case 0xAA:
      return answer({0x55});  // the self-test passed
    case 0xAB:
      return answer({0});  // and that of the interface
    case 0xC0: {
      constexpr std::uint8_t kNotLocked = 0x80;
      return answer({kNotLocked});  // the input port
    }
    case 0xD0:
      return answer(
          {static_cast<std::uint8_t>(state_.output_port | (guest.a20_is_open() ? kA20 : 0))});
    case 0xDD:
      return guest.set_a20(false);
    case 0xDF:
      return guest.set_a20(true);
    case kReset:
      return guest.stop("it rebooted (the keyboard controller's reset line)");
    default:
      return;
  }
}

void KeyboardController::halted(GuestView& guest) {
  if (!guest.registers().rflags.if_()) return;
  if (state_.has_output || !has_own_handler(pic_->vector_of(1), guest)) return;
  if (state_.left != 0) {
    send_next();
  } else if (const auto key = next_key_()) {
    const std::uint8_t code = key->scan_code;
    const auto released = static_cast<std::uint8_t>(code | kReleased);
    if (key->with_shift) {
      answer({kShift, code, released, kShift | kReleased}, true);
    } else {
      answer({code, released}, true);
    }
  } else {
    return;
  }
  pic_->raise(1);
}

}  // namespace hltest::internal
