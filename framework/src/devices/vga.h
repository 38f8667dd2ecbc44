#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "devices/video_mode.h"

#include <hltest/device.h>

namespace hltest::internal {

/// What a VGA shows, but for the guest's memory: a value.
struct Display {
  const VideoMode* mode = video_mode(3);
  unsigned rows = 25;        ///< of characters
  unsigned first_cell = 0;   ///< that the screen begins with, of the text modes
  unsigned cursor_cell = 0;  ///< counted from the display's memory
  /// Characters and attributes of a graphics mode, by row and column.
  std::vector<std::uint8_t> text{};
  /// A byte for each pixel of a mode with planes.
  std::vector<std::uint8_t> pixels{};
};

/// Registers behind an index at one port and their data at the next.
struct IndexedRegisters {
  std::uint8_t index = 0;
  std::array<std::uint8_t, 256> values{};
};

struct VgaState {
  IndexedRegisters sequencer{};   ///< ports 3C4h, 3C5h
  IndexedRegisters graphics{};    ///< 3CEh, 3CFh
  IndexedRegisters crtc{};        ///< 3D4h, 3D5h
  IndexedRegisters attributes{};  ///< 3C0h, 3C1h
  bool attribute_takes_data = false;
  std::uint8_t miscellaneous = 0x67;
  std::uint8_t pixel_mask = 0xFF;
  /// Red, green and blue of each colour, six bits each.
  std::array<std::uint8_t, 768> dac{};
  std::uint16_t dac_read = 0;  ///< the next component
  std::uint16_t dac_write = 0;
  bool in_retrace = false;
  std::uint8_t mode = 3;
  std::uint8_t rows = 25;
};

/// The VGA: registers at ports 3C0h to 3CFh, 3D4h, 3D5h and 3DAh, whose retrace comes and goes with
/// each read. The CRT controller's start address and cursor decide what the screen shows. Modes are
/// set by the BIOS: `set_mode`; of the other registers that make a mode, it only keeps the values.
/// What the BIOS draws in a graphics mode is kept here as far as the guest's memory has no place
/// for it: characters as such, and the pixels of the modes with planes.
class Vga : public Device {
 public:
  using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

  Vga();
  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  [[nodiscard]] std::vector<std::uint8_t> save() const override;
  void restore(std::span<const std::uint8_t> bytes) override;

  [[nodiscard]] const VideoMode& mode() const { return *video_mode(state_.mode); }
  void set_mode(const VideoMode& mode, bool keeps_memory);
  /// Of a text mode, by the height of its characters.
  void set_rows(std::uint8_t rows) { state_.rows = rows; }
  [[nodiscard]] Display display() const;
  /// As `Display` has them.
  [[nodiscard]] std::span<std::uint8_t> text() { return text_; }
  [[nodiscard]] std::span<std::uint8_t> pixels() { return pixels_; }

  void set_first_cell(unsigned cell) { set_crtc_word(kStartAddress, cell); }
  void set_cursor_cell(unsigned cell) { set_crtc_word(kCursor, cell); }
  [[nodiscard]] std::uint8_t& attribute(std::uint8_t index) {
    return state_.attributes.values.at(index % 32U);
  }
  [[nodiscard]] Colour colour(std::uint8_t index) const;
  void set_colour(std::uint8_t index, Colour colour);

 private:
  // The CRT controller's pairs of registers, the high byte first.
  static constexpr std::size_t kStartAddress = 0x0C;
  static constexpr std::size_t kCursor = 0x0E;
  [[nodiscard]] unsigned crtc_word(std::size_t at) const;
  void set_crtc_word(std::size_t at, unsigned value);
  void write_attribute(std::uint8_t value);
  void resize();

  VgaState state_{};
  std::vector<std::uint8_t> text_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace hltest::internal
