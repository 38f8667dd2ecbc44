// Intel 8259A data sheet: initialisation command words (ICW) and operation command words (OCW).
#include "devices/pic.h"

#include <bit>

#include <hltest/memory.h>
#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

constexpr unsigned kLines = 8;
constexpr unsigned kCascade = 2;  // the line of the first that the second is connected to

std::uint8_t bit(unsigned line) { return static_cast<std::uint8_t>(1U << line); }

bool is_second(Port port) { return port >= 0xA0; }

}  // namespace

bool has_own_handler(Vector vector, GuestView& guest) {
  if (guest.registers().cr0.pe()) return true;  // the IDT is the guest's
  const Gpa segment{static_cast<std::uint64_t>(vector) * 4 + 2};
  return guest.memory().read<std::uint16_t>(segment) != kRomSegment;
}

Pic::Pic() {
  state_[0].offset = 0x08;
  state_[1].offset = 0x70;
}

void Pic::raise(unsigned irq) { state_.at(irq / kLines).requested |= bit(irq % kLines); }

void Pic::end_of_interrupt(unsigned irq) {
  state_.at(irq / kLines).in_service &= static_cast<std::uint8_t>(~bit(irq % kLines));
  if (irq >= kLines) state_[0].in_service &= static_cast<std::uint8_t>(~bit(kCascade));
}

bool Pic::is_in_service(unsigned irq) const {
  return (state_.at(irq / kLines).in_service & bit(irq % kLines)) != 0;
}

Vector Pic::vector_of(unsigned irq) const {
  return static_cast<Vector>(state_.at(irq / kLines).offset + irq % kLines);
}

std::optional<unsigned> Pic::next(const PicState& pic) {
  const auto ready = static_cast<std::uint8_t>(pic.requested & ~pic.mask);
  if (ready == 0) return std::nullopt;
  const auto line = static_cast<unsigned>(std::countr_zero(ready));
  const bool is_held_off =
      pic.in_service != 0 && static_cast<unsigned>(std::countr_zero(pic.in_service)) <= line;
  return is_held_off ? std::nullopt : std::optional{line};
}

std::optional<unsigned> Pic::next_irq() const {
  PicState first = state_[0];
  const std::optional<unsigned> second = next(state_[1]);
  if (second) first.requested |= bit(kCascade);
  const std::optional<unsigned> line = next(first);
  if (!line) return std::nullopt;
  return second && *line == kCascade ? kLines + *second : *line;
}

std::optional<Vector> Pic::interrupt() const {
  const std::optional<unsigned> irq = next_irq();
  return irq ? std::optional{vector_of(*irq)} : std::nullopt;
}

void Pic::acknowledge(Vector /*vector*/) {
  const std::optional<unsigned> irq = next_irq();
  if (!irq) return;
  const auto take = [](PicState& pic, unsigned line) {
    pic.requested &= static_cast<std::uint8_t>(~bit(line));
    if (!pic.is_automatic) pic.in_service |= bit(line);
  };
  take(state_.at(*irq / kLines), *irq % kLines);
  if (*irq >= kLines) take(state_[0], kCascade);
}

std::optional<std::uint64_t> Pic::read(const Access& access, GuestView& /*guest*/) {
  const PicState& pic = state_.at(is_second(access.port()) ? 1 : 0);
  if ((access.port() & 1U) != 0) return pic.mask;
  return pic.reads_in_service ? pic.in_service : pic.requested;
}

bool Pic::write(const Access& access, GuestView& /*guest*/) {
  PicState& pic = state_.at(is_second(access.port()) ? 1 : 0);
  const auto value = static_cast<std::uint8_t>(access.value);
  (access.port() & 1U) != 0 ? data(pic, value) : command(pic, value);
  return true;
}

void Pic::command(PicState& pic, std::uint8_t value) {
  constexpr std::uint8_t kInitialise = 0x10;
  constexpr std::uint8_t kOcw3 = 0x08;
  if ((value & kInitialise) != 0) {
    pic = {.expected_word = 2, .wants_word_4 = (value & 1U) != 0};
    pic.offset = 0;
    return;
  }
  if ((value & kOcw3) != 0) {
    if ((value & 2U) != 0) pic.reads_in_service = (value & 1U) != 0;
    return;
  }
  constexpr std::uint8_t kEnd = 0x20;
  constexpr std::uint8_t kSpecific = 0x40;
  if ((value & kEnd) == 0 || pic.in_service == 0) return;
  const unsigned line = (value & kSpecific) != 0
                            ? value & 7U
                            : static_cast<unsigned>(std::countr_zero(pic.in_service));
  pic.in_service &= static_cast<std::uint8_t>(~bit(line));
}

void Pic::data(PicState& pic, std::uint8_t value) {
  switch (pic.expected_word) {
    case 2:
      pic.offset = value & 0xF8U;
      pic.expected_word = 3;
      return;
    case 3:
      pic.expected_word = pic.wants_word_4 ? 4 : 0;
      return;
    case 4:
      pic.is_automatic = (value & 2U) != 0;
      pic.expected_word = 0;
      return;
    default:
      pic.mask = value;
  }
}

}  // namespace hltest::internal
