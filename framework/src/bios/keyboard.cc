// INT 16h: the keyboard, whose keys the test has typed in advance.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "bios/bios_run.h"

namespace hltest::internal {
namespace {

// The keys of a US keyboard by their scan codes from 1 on, without and with Shift.
constexpr std::string_view kPlain =
    "\x1b"
    "1234567890-=\b\tqwertyuiop[]\r\x01"
    "asdfghjkl;'`\x01\\zxcvbnm,./\x01*\x01 ";
constexpr std::string_view kShifted =
    "\x01!@#$%^&*()_+\x01\x01QWERTYUIOP{}\x01\x01"
    "ASDFGHJKL:\"~\x01|ZXCVBNM<>?";

// A key that the keyboard has, but whose interrupt has not come, is the next.
bool is_on_its_way(const BiosRun& bios) {
  return bios.keyboard != nullptr && bios.keyboard->is_about_to_press();
}

std::optional<std::uint16_t> next_key(const BiosRun& bios) {
  if (!bios.buffer.empty()) return bios.buffer.front();
  if (is_on_its_way(bios)) return key_code(bios.last_key);
  if (bios.next_key >= bios.settings.keys.size()) return std::nullopt;
  return key_code(bios.settings.keys[bios.next_key]);
}

void take_key(BiosRun& bios) {
  if (!bios.buffer.empty()) {
    bios.buffer.erase(bios.buffer.begin());
  } else if (is_on_its_way(bios)) {
    bios.keyboard->take_press();
  } else {
    ++bios.next_key;
  }
}

void read_key(BiosCall& call) {
  call.call.name = "read a key";
  const std::optional<std::uint16_t> key = next_key(call.bios);
  if (!key) {
    call.guest.stop(
        fmt::format("it waits for a key (INT 16h, AH = {:02X}h), and {}", call.call.before.ah(),
                    call.bios.settings.keys.empty() ? "none is typed" : "all have been read"));
    return;
  }
  take_key(call.bios);
  call.registers().set_ax(*key);
}

void look_for_key(BiosCall& call) {
  call.call.name = "look for a key";
  const std::optional<std::uint16_t> key = next_key(call.bios);
  call.registers().rflags.set(Rflags::kZf, !key);
  if (key) call.registers().set_ax(*key);
}

}  // namespace

std::uint16_t key_code(char typed) {
  const char c = typed == '\n' ? '\r' : typed;
  for (const std::string_view keys : {kPlain, kShifted}) {
    const std::size_t at = keys.find(c);
    if (at == std::string_view::npos) continue;
    return static_cast<std::uint16_t>((at + 1) << 8U | static_cast<unsigned char>(c));
  }
  return static_cast<unsigned char>(c);  // as by Alt and the number
}

KeyStroke key_stroke(char typed) {
  const char c = typed == '\n' ? '\r' : typed;
  return {.scan_code = static_cast<std::uint8_t>(key_code(typed) >> 8U),
          .with_shift = kPlain.find(c) == std::string_view::npos &&
                        kShifted.find(c) != std::string_view::npos};
}

// The BIOS's handler puts the key that was pressed into its buffer, where INT 16h finds it.
void serve_key(BiosCall& call) {
  call.call.name = "a key";
  BiosRun& bios = call.bios;
  if (bios.keyboard != nullptr) {
    if (bios.keyboard->has_press()) bios.buffer.push_back(key_code(bios.last_key));
    bios.keyboard->take();
  }
  if (bios.pic != nullptr) bios.pic->end_of_interrupt(1);
}

void serve_keyboard(BiosCall& call) {
  Registers& r = call.registers();
  switch (r.ah()) {
    case 0x00:
    case 0x10:
      return read_key(call);
    case 0x01:
    case 0x11:
      return look_for_key(call);
    case 0x02:
    case 0x12:
      call.call.name = "read the shift flags";
      r.set_ax(0);
      return;
    case 0x03:
      call.call.name = "set the repeat rate";
      return;
    case 0x05: {
      constexpr std::size_t kMost = 15;
      call.call.name = "put a key into the buffer";
      const bool has_room = call.bios.buffer.size() < kMost;
      if (has_room) call.bios.buffer.push_back(r.cx());
      r.set_al(has_room ? 0 : 1);
      return;
    }
    default:
      leave(call);
  }
}

}  // namespace hltest::internal
