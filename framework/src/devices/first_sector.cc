#include "devices/first_sector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/disk.h>
#include <hltest/error.h>

namespace hltest::internal {
namespace {

constexpr std::array<std::uint8_t, 2> kSignature = {0x55, 0xAA};
constexpr std::size_t kSignatureOffset = 510;

std::uint8_t byte_at(const FlatImage& code, std::size_t offset) {
  return offset < code.bytes().size() ? code.bytes()[offset] : std::uint8_t{0};
}

}  // namespace

FlatImage first_sector(const FlatImage& code, std::size_t offset,
                       std::span<const std::uint8_t> field) {
  if (code.bytes().size() > Disk::kSectorSize) {
    throw SetupError(fmt::format("the boot sector {} has {} bytes: shorten it to 512 at most",
                                 code.name(), code.bytes().size()));
  }
  const std::array end = {byte_at(code, kSignatureOffset), byte_at(code, kSignatureOffset + 1)};
  if (end != kSignature && end != std::array<std::uint8_t, 2>{}) {
    throw SetupError(
        fmt::format("the boot sector {} has {:02x} {:02x} in bytes 510 and 511, where a BIOS wants "
                    "55 aa: end it "
                    "with times 510-($-$$) db 0, then dw 0xaa55",
                    code.name(), end[0], end[1]));
  }
  return code.with_bytes(kSignatureOffset, kSignature).with_bytes(offset, field);
}

void require_zeros(const FlatImage& code, std::size_t begin, std::size_t end, const char* purpose) {
  for (std::size_t i = begin; i < std::min(end, code.bytes().size()); ++i) {
    if (code.bytes()[i] == 0) continue;
    throw SetupError(fmt::format(
        "the boot sector {} has {:#04x} in byte {}, and bytes {} to {} are {}: leave them zeros",
        code.name(), code.bytes()[i], i, begin, end - 1, purpose));
  }
}

}  // namespace hltest::internal
