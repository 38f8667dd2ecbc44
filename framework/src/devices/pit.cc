#include "devices/pit.h"

#include <fmt/format.h>
#include <hltest/memory.h>
#include <hltest/memory_layout.h>

#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

constexpr Vector kUserTimer{0x1C};
constexpr Port kControl = 0x43;
constexpr Port kGate = 0x61;
constexpr std::uint8_t kRefresh = 0x10;
constexpr std::uint8_t kOut2 = 0x20;
constexpr std::uint8_t kOutput = 0x80;  // of a channel's status

// A jump back to the HLT, or shortly before it, soon after it.
bool is_in_loop(GuestView& guest) {
  constexpr unsigned kInstructions = 6;
  constexpr std::uint64_t kLoop = 64;
  const Registers registers = guest.registers();
  if (registers.cr0.pe()) return false;
  Gva at = registers.code_address();
  const Gva hlt = at - 1;
  for (unsigned i = 0; i < kInstructions; ++i) {
    if (!guest.memory().is_ram(Gpa{at.value()}, kLongestInstruction)) return false;
    const auto code = guest.memory().read_bytes(Gpa{at.value()}, kLongestInstruction);
    const Instruction instruction = disassemble_one(code, at, cpu_mode(registers));
    if (!instruction.is_valid) return false;
    // Short jumps: JMP, Jcc, LOOPcc and JCXZ.
    const std::uint8_t opcode = code[0];
    const bool is_short_jump =
        opcode == 0xEB || (opcode & 0xF0U) == 0x70 || (opcode >= 0xE0 && opcode <= 0xE3);
    const Gva next = at + instruction.bytes.size();
    if (is_short_jump && code[1] >= 0x80) {
      const Gva target = next - (0x100U - code[1]);
      if (target <= hlt && hlt - target <= kLoop) return true;
    }
    if (opcode == 0xEB) return false;
    at = next;
  }
  return false;
}

bool jumps_to_itself(GuestView& guest) {
  const Gpa at{guest.registers().code_address().value()};
  constexpr std::uint16_t kJump = 0xFEEB;
  return guest.memory().is_ram(at, 2) && guest.memory().read<std::uint16_t>(at) == kJump;
}

// A guest that has halted with interrupts enabled waits for a vector if it has a handler of its own
// for it (or for INT 1Ch, which the BIOS's timer handler calls), or if its HLT is in a loop. Any
// other HLT is its end.
bool waits_for(Vector vector, GuestView& guest) {
  return has_own_handler(vector, guest) || has_own_handler(kUserTimer, guest) || is_in_loop(guest);
}

}  // namespace

std::optional<std::uint64_t> Pit::read(const Access& access, GuestView& /*guest*/) {
  if (access.port() == kGate) {
    state_.port_61 ^= kRefresh | kOut2;  // both change all the time
    return state_.port_61;
  }
  if (access.port() == kControl) return std::nullopt;
  PitState::Channel& channel = state_.channels.at(access.port() & 3U);
  if (channel.has_status) {
    channel.has_status = false;
    return kOutput | unsigned{channel.bytes} << 4U | channel.mode;
  }
  constexpr std::uint16_t kStep = 64;
  if (!channel.is_latched && !channel.is_at_high) {
    channel.count = static_cast<std::uint16_t>(channel.count - kStep);
    if (channel.reload != 0)
      channel.count = static_cast<std::uint16_t>(channel.count % channel.reload);
  }
  const std::uint16_t value = channel.is_latched ? channel.latched : channel.count;
  const bool is_high = channel.bytes == 2 || (channel.bytes == 3 && channel.is_at_high);
  if (channel.bytes == 3) channel.is_at_high = !channel.is_at_high;
  if (!channel.is_at_high) channel.is_latched = false;
  return is_high ? unsigned{value} >> 8U : value & 0xFFU;
}

void Pit::control(std::uint8_t value) {
  constexpr unsigned kReadBack = 3;
  const unsigned number = value >> 6U;
  if (number == kReadBack) {
    for (unsigned i = 0; i < state_.channels.size(); ++i) {
      if ((value & 2U << i) == 0) continue;
      if ((value & 0x20U) == 0) latch(state_.channels.at(i));
      if ((value & 0x10U) == 0) state_.channels.at(i).has_status = true;
    }
    return;
  }
  PitState::Channel& channel = state_.channels.at(number);
  const auto bytes = static_cast<std::uint8_t>(value >> 4U & 3U);
  if (bytes == 0) return latch(channel);
  channel = {.bytes = bytes, .mode = static_cast<std::uint8_t>(value & 0x0FU)};
}

void Pit::latch(PitState::Channel& channel) {
  if (channel.is_latched) return;  // until it was read
  channel.latched = channel.count = static_cast<std::uint16_t>(channel.count - 1U);
  channel.is_latched = true;
}

bool Pit::write(const Access& access, GuestView& /*guest*/) {
  const auto value = static_cast<std::uint8_t>(access.value);
  if (access.port() == kGate) {
    state_.port_61 = static_cast<std::uint8_t>((state_.port_61 & 0xF0U) | (value & 0x0FU));
    return true;
  }
  if (access.port() == kControl) {
    control(value);
    return true;
  }
  PitState::Channel& channel = state_.channels.at(access.port() & 3U);
  const bool is_high = channel.bytes == 2 || (channel.bytes == 3 && channel.is_at_high);
  channel.reload =
      is_high ? static_cast<std::uint16_t>((channel.reload & 0xFFU) | unsigned{value} << 8U)
              : static_cast<std::uint16_t>((channel.reload & 0xFF00U) | value);
  if (channel.bytes == 3) channel.is_at_high = !channel.is_at_high;
  channel.count = channel.reload;
  return true;
}

void Pit::halted(GuestView& guest) {
  const Registers registers = guest.registers();
  const std::uint64_t at = registers.code_address().value();
  const bool is_jump = jumps_to_itself(guest);
  state_.halts = at == state_.halted_at ? state_.halts + 1 : 1;
  state_.halted_at = at;
  const bool waits = registers.rflags.if_() && waits_for(pic_->vector_of(0), guest);
  if (!waits || state_.halts > kMostHalts) {
    // Not the first time: another device may wake it.
    if (is_jump && state_.halts > 1) {
      guest.stop(fmt::format("it jumps to itself at {:#x}, for ever", at));
    }
    return;
  }
  pic_->raise(0);
  if (pic_->interrupt()) return;
  guest.stop(pic_->is_in_service(0)
                 ? "it waits for the timer, whose last interrupt (IRQ 0) has had no end (EOI)"
                 : "it waits for the timer, whose interrupt (IRQ 0) is masked or held off");
}

}  // namespace hltest::internal
