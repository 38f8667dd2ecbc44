#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hltest::internal {

/// The bytes of a GUID as they are on a disk: the first three groups have their lowest byte first
/// (UEFI 2.10, appendix A).
using Guid = std::array<std::uint8_t, 16>;

/// A GUID's text, `C12A7328-F81F-11D2-BA4B-00A0C93EC93B`; nothing if it is none.
std::optional<Guid> parse_guid(std::string_view text);

}  // namespace hltest::internal
