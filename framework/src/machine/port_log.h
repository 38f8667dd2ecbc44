#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hltest {

/// The number of an I/O port.
using Port = std::uint16_t;

enum class Direction : std::uint8_t { kIn, kOut };

/// One IN or OUT, or one element of an INS or OUTS.
struct PortAccess {
  Port port = 0;
  Direction direction = Direction::kOut;
  std::uint8_t size = 1;  ///< in bytes: 1, 2 or 4
  /// False for an IN that nobody scripted: it read all ones, as from a floating bus.
  bool scripted = true;
  std::uint32_t value = 0;

  friend bool operator==(const PortAccess&, const PortAccess&) = default;
};

/// `out 0x3f8, byte 0x34`, `in 0x60, byte 0xff (floating bus)`.
std::string to_string(const PortAccess& access);

/// Every access of a run to a port, in the guest's order. `rep outsb` is one access an element,
/// however the host's KVM reports it.
class PortLog {
 public:
  /// Accesses past this many are counted and no longer kept, so that a guest which writes for ever
  /// can't fill the host's memory.
  static constexpr std::size_t kMostKept = 4U << 20U;

  void add(const PortAccess& access);

  [[nodiscard]] const std::vector<PortAccess>& accesses() const { return accesses_; }
  /// How many were not kept.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// What OUT gave the port, in order.
  [[nodiscard]] std::vector<PortAccess> writes(Port port) const;
  [[nodiscard]] std::vector<std::uint32_t> values(Port port) const;
  /// What OUT gave the port as bytes: wider values lowest byte first.
  [[nodiscard]] std::vector<std::uint8_t> bytes(Port port) const;
  /// The same as text.
  [[nodiscard]] std::string text(Port port) const;
  /// The ports that were written, in the order of their first write.
  [[nodiscard]] std::vector<Port> written_ports() const;

 private:
  std::vector<PortAccess> accesses_;
  std::uint64_t dropped_ = 0;
};

/// The text that the serial ports COM1 to COM4 transmitted, in order. Writes to a data port while
/// its divisor latch is open (DLAB, bit 7 of the line control register at base + 3) are none.
std::string serial_text(const PortLog& log);

}  // namespace hltest
