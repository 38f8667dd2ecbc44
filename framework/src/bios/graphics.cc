// INT 10h: pixels and colours.
#include "bios/graphics.h"

#include <optional>
#include <vector>

namespace hltest::internal {
namespace {

// A pixel where its mode keeps it: in the guest's memory, or in the VGA's planes.
class Pixel {
 public:
  Pixel(const BiosCall& call, unsigned x, unsigned y)
      : call_(call),
        mode_(call.vga().mode()),
        place_(place_of_pixel(mode_, x, y)),
        index_(std::size_t{y} * mode_.width + x),
        has_planes_(mode_.layout == DisplayLayout::kPlanes && x < mode_.width && y < mode_.height) {
  }

  [[nodiscard]] std::uint8_t mask() const {
    return static_cast<std::uint8_t>((1U << mode_.bits) - 1);
  }
  [[nodiscard]] std::uint8_t colour() const {
    if (has_planes_) return call_.vga().pixels()[index_];
    if (!place_) return 0;
    return static_cast<std::uint8_t>(byte() >> place_->shift) & mask();
  }
  void set_colour(std::uint8_t colour) const {
    colour &= mask();
    if (has_planes_) {
      call_.vga().pixels()[index_] = colour;
    } else if (place_) {
      const auto others = static_cast<std::uint8_t>(byte() & ~(unsigned{mask()} << place_->shift));
      call_.memory().write<std::uint8_t>(
          place_->byte, static_cast<std::uint8_t>(others | colour << place_->shift));
    }
  }

 private:
  [[nodiscard]] std::uint8_t byte() const {
    return call_.memory().read<std::uint8_t>(place_->byte);
  }

  const BiosCall& call_;
  const VideoMode& mode_;
  std::optional<PixelPlace> place_;
  std::size_t index_;
  bool has_planes_;
};

constexpr std::uint64_t kColourSize = 3;  // red, green, blue

// Of several colours at ES:DX; none where they do not fit in the guest's RAM.
std::optional<Gpa> colours_at(const BiosCall& call) {
  const Registers& r = call.registers();
  constexpr unsigned kColours = 256;
  const Gpa from = call.address(r.es, r.dx());
  const bool fits = r.bx() + r.cx() <= kColours && call.memory().is_ram(from, r.cx() * kColourSize);
  return fits ? std::optional{from} : std::nullopt;
}

void write_colours(BiosCall& call) {
  const auto from = colours_at(call);
  if (!from) return;
  const Registers& r = call.registers();
  const std::vector<std::uint8_t> bytes = call.memory().read_bytes(*from, r.cx() * kColourSize);
  for (std::size_t i = 0; i < r.cx(); ++i) {
    const std::size_t at = i * kColourSize;
    call.vga().set_colour(static_cast<std::uint8_t>(r.bx() + i),
                          {bytes[at], bytes[at + 1], bytes[at + 2]});
  }
}

void read_colours(BiosCall& call) {
  const auto to = colours_at(call);
  if (!to) return;
  const Registers& r = call.registers();
  for (unsigned i = 0; i < r.cx(); ++i) {
    call.write(*to + i * kColourSize, call.vga().colour(static_cast<std::uint8_t>(r.bx() + i)));
  }
}

}  // namespace

void write_pixel(BiosCall& call) {
  constexpr std::uint8_t kXor = 0x80;  // where a pixel has fewer bits than AL
  call.call.name = "write a pixel";
  const Registers& r = call.registers();
  const Pixel pixel{call, r.cx(), r.dx()};
  const bool changes = (r.al() & kXor) != 0 && call.vga().mode().bits < 8;
  pixel.set_colour(changes ? static_cast<std::uint8_t>(pixel.colour() ^ r.al()) : r.al());
}

void read_pixel(BiosCall& call) {
  call.call.name = "read a pixel";
  Registers& r = call.registers();
  r.set_al(Pixel{call, r.cx(), r.dx()}.colour());
}

void serve_palette(BiosCall& call) {
  constexpr std::uint8_t kOverscan = 0x11;
  constexpr std::uint8_t kModeControl = 0x10;
  constexpr std::uint8_t kBlinks = 1U << 3U;
  Registers& r = call.registers();
  Vga& vga = call.vga();
  call.call.name = "set colours";
  switch (r.al()) {
    case 0x00:
      vga.attribute(r.bl()) = r.bh();
      return;
    case 0x01:
      vga.attribute(kOverscan) = r.bh();
      return;
    case 0x03: {
      std::uint8_t& control = vga.attribute(kModeControl);
      control =
          static_cast<std::uint8_t>((control & ~kBlinks) | ((r.bl() & 1U) != 0 ? kBlinks : 0));
      return;
    }
    case 0x10:
      return vga.set_colour(r.bl(), {r.dh(), r.ch(), r.cl()});
    case 0x12:
      return write_colours(call);
    default:
      break;
  }
  call.call.name = "read colours";
  switch (r.al()) {
    case 0x07:
      r.set_bh(vga.attribute(r.bl()));
      return;
    case 0x08:
      r.set_bh(vga.attribute(kOverscan));
      return;
    case 0x15: {
      const Vga::Colour colour = vga.colour(r.bl());
      r.set_dh(colour[0]);
      r.set_ch(colour[1]);
      r.set_cl(colour[2]);
      return;
    }
    case 0x17:
      return read_colours(call);
    default:
      return leave(call);
  }
}

}  // namespace hltest::internal
