#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hltest {

/// What a text mode of the VGA shows: a value.
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
  /// As the BIOS data area has it.
  Place cursor{};
};

/// The rows in a frame, without the empty ones at the end.
std::string to_string(const Screen& screen);

}  // namespace hltest
