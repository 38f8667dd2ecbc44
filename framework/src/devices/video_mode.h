#pragma once

#include <cstdint>
#include <optional>

#include <hltest/x86/address.h>

namespace hltest::internal {

/// Bytes of memory of the text modes: their pages.
inline constexpr std::uint64_t kTextMemorySize = 0x8000;

/// How a video mode keeps what it shows.
enum class DisplayLayout : std::uint8_t {
  kText,    ///< cells of a character and an attribute
  kCga,     ///< packed pixels, the odd rows 2000h bytes after the even ones
  kPlanes,  ///< a bit of eight pixels in each plane
  kBytes,   ///< a byte for each pixel
};

/// A mode of the VGA's BIOS, by its number in INT 10h, AH = 00h.
struct VideoMode {
  std::uint8_t number = 0;
  DisplayLayout layout = DisplayLayout::kText;
  std::uint8_t columns = 80;
  std::uint8_t rows = 25;
  std::uint16_t width = 0;   ///< in pixels; 0 in a text mode
  std::uint16_t height = 0;  ///< in pixels
  std::uint8_t bits = 0;     ///< of a pixel
  Gpa memory{};
  std::uint16_t page_size = 0;  ///< in bytes
  std::uint8_t character_height = 16;
};

/// nullptr for a mode that a VGA does not have.
const VideoMode* video_mode(std::uint8_t number);

/// The bits of a byte in memory that a pixel takes.
struct PixelPlace {
  Gpa byte{};
  unsigned shift = 0;
};
/// Nothing beyond the edges, and where a mode has no pixels or keeps them in planes.
std::optional<PixelPlace> place_of_pixel(const VideoMode& mode, unsigned x, unsigned y);

}  // namespace hltest::internal
