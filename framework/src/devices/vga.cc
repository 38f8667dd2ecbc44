#include "devices/vga.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace hltest::internal {
namespace {

constexpr std::uint8_t kSixBits = 0x3F;

// The 64 colours that a BIOS begins with: two bits of each of red, green and blue.
void put_usual_colours(std::array<std::uint8_t, 768>& dac) {
  constexpr unsigned kBright = 42;
  constexpr unsigned kDim = 21;
  for (unsigned i = 0; i < 64; ++i) {
    const auto level = [i](unsigned bright, unsigned dim) {
      return static_cast<std::uint8_t>((i >> bright & 1U) * kBright + (i >> dim & 1U) * kDim);
    };
    dac.at(std::size_t{i} * 3) = level(2, 5);
    dac.at(std::size_t{i} * 3 + 1) = level(1, 4);
    dac.at(std::size_t{i} * 3 + 2) = level(0, 3);
  }
}

IndexedRegisters* indexed_registers(VgaState& state, Port port) {
  switch (port & ~1U) {
    case 0x3C4:
      return &state.sequencer;
    case 0x3CE:
      return &state.graphics;
    case 0x3D4:
      return &state.crtc;
    default:
      return nullptr;
  }
}

void next(std::uint16_t& component) {
  component =
      static_cast<std::uint16_t>((component + 1U) % std::tuple_size_v<decltype(VgaState::dac)>);
}

}  // namespace

Vga::Vga() {
  // The sixteen colours of the text modes among the 64, then the mode's control.
  constexpr std::array<std::uint8_t, 20> kAttributes = {
      0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0, 0x0F, 8};
  std::ranges::copy(kAttributes, state_.attributes.values.begin());
  put_usual_colours(state_.dac);
}

std::optional<std::uint64_t> Vga::read(const Access& access, GuestView& /*guest*/) {
  const Port port = access.port();
  if (const IndexedRegisters* const registers = indexed_registers(state_, port)) {
    return (port & 1U) == 0 ? registers->index : registers->values.at(registers->index);
  }
  switch (port) {
    case 0x3C0:
      return state_.attributes.index;
    case 0x3C1:
      return state_.attributes.values.at(state_.attributes.index);
    case 0x3C6:
      return state_.pixel_mask;
    case 0x3C8:
      return state_.dac_write / 3U;
    case 0x3C9: {
      const std::uint8_t component = state_.dac.at(state_.dac_read);
      next(state_.dac_read);
      return component;
    }
    case 0x3CC:
      return state_.miscellaneous;
    case 0x3DA: {
      constexpr std::uint8_t kRetrace = 0x09;  // of the line and of the screen
      state_.attribute_takes_data = false;
      state_.in_retrace = !state_.in_retrace;
      return state_.in_retrace ? kRetrace : std::uint8_t{0};
    }
    default:
      return std::uint64_t{0};
  }
}

bool Vga::write(const Access& access, GuestView& /*guest*/) {
  const Port port = access.port();
  const auto value = static_cast<std::uint8_t>(access.value);
  if (IndexedRegisters* const registers = indexed_registers(state_, port)) {
    if ((port & 1U) != 0) {
      registers->values.at(registers->index) = value;
      return true;
    }
    registers->index = value;
    return true;
  }
  switch (port) {
    case 0x3C0:
      write_attribute(value);
      break;
    case 0x3C2:
      state_.miscellaneous = value;
      break;
    case 0x3C6:
      state_.pixel_mask = value;
      break;
    case 0x3C7:
      state_.dac_read = static_cast<std::uint16_t>(value * 3U);
      break;
    case 0x3C8:
      state_.dac_write = static_cast<std::uint16_t>(value * 3U);
      break;
    case 0x3C9:
      state_.dac.at(state_.dac_write) = value & kSixBits;
      next(state_.dac_write);
      break;
    default:
      break;
  }
  return true;
}

// Port 3C0h takes an index and its data in turn.
void Vga::write_attribute(std::uint8_t value) {
  constexpr std::uint8_t kIndex = 0x1F;  // bit 5 turns the display on
  if (state_.attribute_takes_data) {
    state_.attributes.values.at(state_.attributes.index) = value;
  } else {
    state_.attributes.index = value & kIndex;
  }
  state_.attribute_takes_data = !state_.attribute_takes_data;
}

std::vector<std::uint8_t> Vga::save() const {
  std::vector<std::uint8_t> bytes(sizeof state_ + text_.size() + pixels_.size());
  std::memcpy(bytes.data(), &state_, sizeof state_);
  const auto after_text = std::ranges::copy(text_, bytes.begin() + sizeof state_).out;
  std::ranges::copy(pixels_, after_text);
  return bytes;
}

void Vga::restore(std::span<const std::uint8_t> bytes) {
  std::memcpy(&state_, bytes.data(), sizeof state_);
  resize();
  bytes = bytes.subspan(sizeof state_);
  std::ranges::copy(bytes.first(text_.size()), text_.begin());
  std::ranges::copy(bytes.subspan(text_.size()), pixels_.begin());
}

void Vga::set_mode(const VideoMode& mode, bool keeps_memory) {
  state_.mode = mode.number;
  state_.rows = mode.rows;
  set_first_cell(0);
  set_cursor_cell(0);
  resize();
  if (keeps_memory) return;
  std::ranges::fill(text_, std::uint8_t{0});
  std::ranges::fill(pixels_, std::uint8_t{0});
}

void Vga::resize() {
  const VideoMode& now = mode();
  const bool has_cells = now.layout != DisplayLayout::kText;
  text_.resize(has_cells ? std::size_t{now.columns} * now.rows * 2 : 0);
  pixels_.resize(now.layout == DisplayLayout::kPlanes ? std::size_t{now.width} * now.height : 0);
}

Display Vga::display() const {
  return {.mode = &mode(),
          .rows = state_.rows,
          .first_cell = crtc_word(kStartAddress),
          .cursor_cell = crtc_word(kCursor),
          .text = text_,
          .pixels = pixels_};
}

unsigned Vga::crtc_word(std::size_t at) const {
  return state_.crtc.values.at(at) * 256U + state_.crtc.values.at(at + 1);
}

void Vga::set_crtc_word(std::size_t at, unsigned value) {
  state_.crtc.values.at(at) = static_cast<std::uint8_t>(value >> 8U);
  state_.crtc.values.at(at + 1) = static_cast<std::uint8_t>(value);
}

Vga::Colour Vga::colour(std::uint8_t index) const {
  Colour colour{};
  std::copy_n(state_.dac.begin() + std::ptrdiff_t{3} * index, 3, colour.begin());
  return colour;
}

void Vga::set_colour(std::uint8_t index, Colour colour) {
  std::ranges::transform(
      colour, state_.dac.begin() + std::ptrdiff_t{3} * index,
      [](std::uint8_t component) { return static_cast<std::uint8_t>(component & kSixBits); });
}

}  // namespace hltest::internal
