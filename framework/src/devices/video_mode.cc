#include "devices/video_mode.h"

#include <algorithm>
#include <array>

#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

constexpr Gpa kGraphics{0xA0000};
constexpr Gpa kMonochrome{0xB0000};

using enum DisplayLayout;

// IBM VGA Technical Reference, video modes; the sizes of pages are SeaBIOS's, too.
constexpr std::array<VideoMode, 15> kModes = {{
    {0x00, kText, 40, 25, 0, 0, 0, kTextScreen, 0x800, 16},
    {0x01, kText, 40, 25, 0, 0, 0, kTextScreen, 0x800, 16},
    {0x02, kText, 80, 25, 0, 0, 0, kTextScreen, 0x1000, 16},
    {0x03, kText, 80, 25, 0, 0, 0, kTextScreen, 0x1000, 16},
    {0x04, kCga, 40, 25, 320, 200, 2, kTextScreen, 0x4000, 8},
    {0x05, kCga, 40, 25, 320, 200, 2, kTextScreen, 0x4000, 8},
    {0x06, kCga, 80, 25, 640, 200, 1, kTextScreen, 0x4000, 8},
    {0x07, kText, 80, 25, 0, 0, 0, kMonochrome, 0x1000, 16},
    {0x0D, kPlanes, 40, 25, 320, 200, 4, kGraphics, 0x2000, 8},
    {0x0E, kPlanes, 80, 25, 640, 200, 4, kGraphics, 0x4000, 8},
    {0x0F, kPlanes, 80, 25, 640, 350, 1, kGraphics, 0x8000, 14},
    {0x10, kPlanes, 80, 25, 640, 350, 4, kGraphics, 0x8000, 14},
    {0x11, kPlanes, 80, 30, 640, 480, 1, kGraphics, 0xA000, 16},
    {0x12, kPlanes, 80, 30, 640, 480, 4, kGraphics, 0xA000, 16},
    {0x13, kBytes, 40, 25, 320, 200, 8, kGraphics, 0x2000, 8},
}};

}  // namespace

const VideoMode* video_mode(std::uint8_t number) {
  const auto* const mode = std::ranges::find(kModes, number, &VideoMode::number);
  return mode == kModes.end() ? nullptr : mode;
}

std::optional<PixelPlace> place_of_pixel(const VideoMode& mode, unsigned x, unsigned y) {
  if (x >= mode.width || y >= mode.height) return std::nullopt;
  if (mode.layout == kBytes) return PixelPlace{.byte = mode.memory + (y * mode.width + x)};
  if (mode.layout != kCga) return std::nullopt;
  constexpr unsigned kRowSize = 80;
  constexpr unsigned kOddRows = 0x2000;
  const unsigned bit = x * mode.bits;
  return PixelPlace{.byte = mode.memory + (y / 2 * kRowSize + y % 2 * kOddRows + bit / 8),
                    .shift = 8U - mode.bits - bit % 8};
}

}  // namespace hltest::internal
