#include "devices/pc_ports.h"

#include <algorithm>
#include <utility>

#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

constexpr std::uint8_t kA20 = 2;
constexpr std::uint8_t kRegisterB = 0x0B;
constexpr std::uint8_t kRegisterC = 0x0C;

}  // namespace

Cmos::Cmos(std::uint64_t memory_size, std::shared_ptr<Pic> pic) : pic_(std::move(pic)) {
  // 12:34:56 on 2000-01-02, in BCD, 24 hours; no update in progress, a good battery.
  const auto set = [this](std::size_t at, std::uint64_t value) {
    state_.bytes.at(at) = static_cast<std::uint8_t>(value);
  };
  set(0x00, 0x56);
  set(0x02, 0x34);
  set(0x04, 0x12);
  set(0x06, 1);
  set(0x07, 0x02);
  set(0x08, 0x01);
  set(0x09, 0x00);
  set(0x0A, 0x26);
  set(0x0B, 0x02);
  set(0x0D, 0x80);
  set(0x32, 0x20);
  const std::uint64_t extended =
      std::min<std::uint64_t>(memory_size > kMiB ? (memory_size - kMiB) / kKiB : 0, 0xFFFF);
  set(0x15, 640 & 0xFF);
  set(0x16, 640 >> 8U);
  for (const std::size_t at : {0x17U, 0x30U}) {
    set(at, extended);
    set(at + 1, extended >> 8U);
  }
}

std::optional<std::uint64_t> Cmos::read(const Access& access, GuestView& /*guest*/) {
  if ((access.port() & 1U) == 0) return std::nullopt;
  const std::uint8_t value = state_.bytes.at(state_.index);
  if (state_.index == kRegisterC) state_.bytes.at(kRegisterC) = 0;  // a read acknowledges
  return value;
}

void Cmos::halted(GuestView& guest) {
  constexpr unsigned kIrq = 8;
  constexpr std::uint8_t kInterrupts = 0x70;  // periodic, alarm, update ended
  constexpr std::uint8_t kRequested = 0x80;
  const std::uint8_t enabled = state_.bytes.at(kRegisterB) & kInterrupts;
  const bool waits = enabled != 0 && guest.registers().rflags.if_() &&
                     has_own_handler(pic_->vector_of(kIrq), guest);
  if (!waits || state_.bytes.at(kRegisterC) != 0) return;
  state_.bytes.at(kRegisterC) = enabled | kRequested;
  pic_->raise(kIrq);
}

bool Cmos::write(const Access& access, GuestView& /*guest*/) {
  const auto value = static_cast<std::uint8_t>(access.value);
  if ((access.port() & 1U) == 0) {
    state_.index = value & 0x7FU;  // bit 7 holds NMIs off
  } else {
    state_.bytes.at(state_.index) = value;
  }
  return true;
}

std::optional<std::uint64_t> SystemControl::read(const Access& access, GuestView& guest) {
  if (access.port() != 0x92) return std::nullopt;
  return std::uint64_t{state_.port_92} | (guest.a20_is_open() ? kA20 : 0);
}

bool SystemControl::write(const Access& access, GuestView& guest) {
  const auto value = static_cast<std::uint8_t>(access.value);
  if (access.port() != 0x92) {
    if ((value & 4U) != 0) guest.stop("it rebooted (port CF9h)");
    return true;
  }
  state_.port_92 = static_cast<std::uint8_t>(value & ~kA20);
  guest.set_a20((value & kA20) != 0);
  if ((value & 1U) != 0) guest.stop("it rebooted (port 92h)");
  return true;
}

std::optional<std::uint64_t> DebugPorts::read(const Access& access, GuestView& /*guest*/) {
  return access.port() == kDebugConsole ? kDebugConsole : state_.post_code;
}

bool DebugPorts::write(const Access& access, GuestView& /*guest*/) {
  if (access.port() == kPostCode) state_.post_code = static_cast<std::uint8_t>(access.value);
  return true;
}

}  // namespace hltest::internal
