#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace hltest {

/// A sector that a BIOS boots: code of at most 510 bytes, and the signature.
inline std::vector<std::uint8_t> boot_sector(std::vector<std::uint8_t> code) {
  code.resize(510);
  code.insert(code.end(), {0x55, 0xAA});
  return code;
}

}  // namespace hltest
