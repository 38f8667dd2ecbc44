#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <hltest/image.h>

namespace hltest::internal {

/// A guest as the first sector of a disk or a volume: a copy of 512 bytes with `field` from
/// `offset` on, and 55 AA at the end. Its source stays. Throws `SetupError` if the guest is larger
/// than a sector, or ends in something other than 55 AA or zeros.
FlatImage first_sector(const FlatImage& code, std::size_t offset,
                       std::span<const std::uint8_t> field);

/// Throws `SetupError` if the guest uses one of the bytes from `begin` to before `end`. `purpose`
/// is what they are for: "the partition table".
void require_zeros(const FlatImage& code, std::size_t begin, std::size_t end, const char* purpose);

}  // namespace hltest::internal
