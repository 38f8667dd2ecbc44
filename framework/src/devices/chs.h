#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <hltest/disk.h>

namespace hltest::internal {

/// A sector as an entry of a partition table has it: head; sector, with bits 8 and 9 of the
/// cylinder above it; the cylinder's other bits. Nothing beyond cylinder 1023, which has no such
/// form.
std::optional<std::array<std::uint8_t, 3>> chs_of(std::uint64_t lba, const DiskGeometry& geometry);

}  // namespace hltest::internal
