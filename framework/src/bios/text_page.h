#pragma once

#include <cstdint>
#include <optional>

#include "bios/bios_run.h"

namespace hltest::internal {

/// A page of the VGA's text modes, as the BIOS data area describes it.
class TextPage {
 public:
  struct Cursor {
    std::uint8_t column = 0;
    std::uint8_t row = 0;
  };
  /// A rectangle of cells, both corners in it.
  struct Window {
    unsigned top = 0;
    unsigned left = 0;
    unsigned bottom = 0;
    unsigned right = 0;
  };

  TextPage(const BiosCall& call, std::uint8_t page);

  [[nodiscard]] Cursor cursor() const;
  void set_cursor(Cursor cursor) const;
  /// Character and attribute at the cursor.
  [[nodiscard]] std::uint16_t cell() const;
  /// Writes a character at a place; keeps the attribute there if none is given. Rows below the last
  /// one are memory of the display, too: the next page begins there.
  void put(Cursor at, std::uint8_t character, std::optional<std::uint8_t> attribute) const;
  /// Writes a character as a terminal does, and moves the cursor: BEL, BS, LF and CR are obeyed,
  /// and the page scrolls when it is full.
  void type(std::uint8_t character, std::optional<std::uint8_t> attribute) const;
  /// Moves the lines of a window up (or down, if `lines` is negative); 0 clears it.
  void scroll(Window window, int lines, std::uint8_t attribute) const;

  [[nodiscard]] unsigned columns() const { return columns_; }
  [[nodiscard]] unsigned rows() const { return rows_; }
  /// False in the graphics modes, which have no cells.
  [[nodiscard]] bool has_cells() const { return has_cells_; }

 private:
  /// Of a cell, in the display's memory, which it may be beyond the end of.
  [[nodiscard]] std::uint64_t offset(unsigned row, unsigned column) const;
  [[nodiscard]] Gpa address(unsigned row, unsigned column) const;

  const BiosCall& call_;
  std::uint8_t page_;
  unsigned columns_;
  unsigned rows_;
  bool has_cells_;
};

/// Modes 0 to 3 and 7.
bool is_text_mode(std::uint8_t mode);
/// The modes of a VGA, 0 to 7 and 0Dh to 13h.
bool is_vga_mode(std::uint8_t mode);

}  // namespace hltest::internal
