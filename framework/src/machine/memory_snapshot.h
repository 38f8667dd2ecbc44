#pragma once

#include <cstdint>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest {

/// What a guest's memory held at one moment, the framework's region too: the pages that are not all
/// zeros.
struct MemorySnapshot {
  /// Bytes; memory with more than that in use has no snapshot.
  static constexpr std::uint64_t kMostBytes = 16 * kMiB;

  /// Pages of 4 KiB by their offsets, one behind the other in `bytes`.
  struct Pages {
    std::vector<std::uint64_t> offsets{};
    std::vector<std::uint8_t> bytes{};
  };

  CpuMode mode{};  ///< the start mode, which the layout depends on
  std::uint64_t ram_size = 0;
  std::uint64_t system_size = 0;
  Pages ram{};
  Pages system{};
};

}  // namespace hltest
