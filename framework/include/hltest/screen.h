#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hltest {

/// What the VGA shows as text: a value. Of a graphics mode, the characters that the BIOS wrote;
/// they are kept as such, and not drawn as pixels.
struct Screen {
  struct Place {
    unsigned row = 0;
    unsigned column = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  /// The rows from the top, in UTF-8 (the characters are code page 437), without trailing spaces.
  std::vector<std::string> rows{};
  /// The attribute of each cell, by row and column.
  std::vector<std::vector<std::uint8_t>> attributes{};
  /// As the VGA has it, counted from the first character shown.
  Place cursor{};
};

/// The pixels of a graphics mode: a value.
struct Picture {
  unsigned width = 0;
  unsigned height = 0;
  /// By row from the top, a number each, as INT 10h, AH = 0Dh reads it.
  std::vector<std::uint8_t> pixels{};

  /// Throws `SetupError` outside the picture.
  [[nodiscard]] std::uint8_t at(unsigned x, unsigned y) const;
};

/// The rows in a frame, without the empty ones at the end.
std::string to_string(const Screen& screen);

}  // namespace hltest
