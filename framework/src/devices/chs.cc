#include "devices/chs.h"

namespace hltest::internal {

std::optional<std::array<std::uint8_t, 3>> chs_of(std::uint64_t lba, const DiskGeometry& geometry) {
  constexpr std::uint64_t kLastCylinder = 1023;
  const std::uint64_t track = lba / geometry.sectors;
  const std::uint64_t cylinder = track / geometry.heads;
  if (cylinder > kLastCylinder) return std::nullopt;
  return std::array{
      static_cast<std::uint8_t>(track % geometry.heads),
      static_cast<std::uint8_t>((lba % geometry.sectors + 1) | (cylinder >> 2U & 0xC0U)),
      static_cast<std::uint8_t>(cylinder)};
}

}  // namespace hltest::internal
