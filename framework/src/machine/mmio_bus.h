#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include "machine/port_log.h"

namespace hltest {

/// One access to a guest-physical address that no memory backs. (An access that crosses a boundary
/// of 8 bytes or a page may come in parts, as KVM reports it.)
struct MmioAccess {
  Gpa gpa{};
  Direction direction = Direction::kOut;  ///< kIn reads, kOut writes
  std::uint8_t size = 1;                  ///< in bytes: 1 to 8
  /// False when no handler covers the address: a read gave all ones, a write went nowhere.
  bool handled = true;
  std::uint64_t value = 0;

  friend bool operator==(const MmioAccess&, const MmioAccess&) = default;
};

/// `read 0xfee00020, 4 bytes: 0x1`, with `(nothing there)` behind it where nobody answered.
std::string to_string(const MmioAccess& access);

/// What answers at a range of addresses; either may be left out, which is as if nothing were there.
struct MmioHandler {
  std::function<std::uint64_t(const MmioAccess& access)> read = nullptr;
  std::function<void(const MmioAccess& access)> write = nullptr;
};

/// What answers at guest-physical addresses that have no memory.
class MmioBus {
 public:
  /// Puts `handler` in charge of `size` bytes from `base` on. Throws std::invalid_argument for an
  /// empty range and for one that overlaps another handler's; the run throws for one in memory.
  void attach(Gpa base, std::uint64_t size, MmioHandler handler);

  /// One access, its `value` already in it if it is a write; returns it as it went.
  MmioAccess access(MmioAccess access) const;

  struct Range {
    Gpa base;
    std::uint64_t size;
    std::shared_ptr<const MmioHandler> handler;  // shared: it may attach another while it is called
  };
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

}  // namespace hltest
