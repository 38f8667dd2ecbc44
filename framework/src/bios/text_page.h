#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bios/bios_run.h"

namespace hltest::internal {

/// A page of text, as the BIOS data area describes it: in the memory of a text mode, or the text
/// that the VGA keeps for a graphics mode, which has one page.
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
  /// Puts the display's cursor where that of this page is.
  void show_cursor() const;
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

 private:
  /// Of a cell, in the display's memory, which it may be beyond the end of.
  [[nodiscard]] std::uint64_t offset(unsigned row, unsigned column) const;
  /// Of cells in a row. Beyond the display's memory it reads zeros, and writes nothing.
  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t offset, std::uint64_t size) const;
  void write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const;
  [[nodiscard]] bool is_text_mode() const;
  /// What stands in a cell that was cleared.
  [[nodiscard]] std::uint8_t blank() const { return is_text_mode() ? ' ' : std::uint8_t{0}; }

  const BiosCall& call_;
  std::uint8_t page_;
  unsigned columns_;
  unsigned rows_;
};

}  // namespace hltest::internal
