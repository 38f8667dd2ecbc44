#include <hltest/error.h>
#include <hltest/outcome.h>

#include <fmt/format.h>

#include "machine/run_record.h"

namespace hltest {

std::uint8_t Picture::at(unsigned x, unsigned y) const {
  if (x < width && y < height) return pixels.at(std::size_t{y} * width + x);
  throw SetupError(
      fmt::format("pixel ({}, {}): the picture has {} columns and {} rows", x, y, width, height));
}

Picture Outcome::picture() const {
  if (record == nullptr || !record->display) {
    throw SetupError("picture(): only a guest that booted has a VGA");
  }
  const internal::VideoMode& video = *record->display->mode;
  if (video.width == 0) {
    throw SetupError(fmt::format(
        "picture(): the guest ended in mode {:#x}, a text mode: see screen()", video.number));
  }
  Picture picture{.width = video.width, .height = video.height, .pixels = record->display->pixels};
  if (!picture.pixels.empty()) return picture;
  const auto memory = record->memory->read(video.memory, 0x10000);
  const unsigned mask = (1U << video.bits) - 1;
  for (unsigned y = 0; y < video.height; ++y) {
    for (unsigned x = 0; x < video.width; ++x) {
      const auto place = internal::place_of_pixel(video, x, y);
      const std::uint8_t byte = memory.at(place->byte - video.memory);
      picture.pixels.push_back(static_cast<std::uint8_t>(byte >> place->shift & mask));
    }
  }
  return picture;
}

}  // namespace hltest
