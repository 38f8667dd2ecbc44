// IBM PC/AT Technical Reference: the keyboard controller's commands.
#include "devices/keyboard_controller.h"

namespace hltest::internal {
namespace {

constexpr Port kData = 0x60;
constexpr std::uint8_t kAcknowledge = 0xFA;
constexpr std::uint8_t kReset = 0xFE;
constexpr std::uint8_t kA20 = 2;  // of the output port

}  // namespace

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
    case 0:
      answer(kAcknowledge);  // a command to the keyboard itself
      break;
    default:
      break;
  }
  state_.command = 0;
  return true;
}

void KeyboardController::take_command(std::uint8_t command, GuestView& guest) {
  switch (command) {
    case 0x20:
      return answer(state_.configuration);
    case 0x60:
    case 0xD1:
      state_.command = command;
      return;
    case 0xAA:
      return answer(0x55);  // the self-test passed
    case 0xAB:
      return answer(0);  // and that of the interface
    case 0xD0:
      return answer(state_.output_port | (guest.a20_is_open() ? kA20 : 0U));
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
  if (state_.release != 0) {
    answer(state_.release);
    state_.release = 0;
  } else if (const auto code = next_key_()) {
    answer(*code);
    state_.release = *code | 0x80U;
  } else {
    return;
  }
  pic_->raise(1);
}

}  // namespace hltest::internal
