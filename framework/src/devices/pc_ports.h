#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "devices/pic.h"
#include "devices/state.h"

namespace hltest::internal {

struct CmosState {
  std::uint8_t index = 0;
  std::array<std::uint8_t, 128> bytes{};
};

/// The CMOS memory and the real-time clock at ports 70h and 71h, which INT 1Ah reads and sets. Its
/// time stands still: each run begins at the same. A guest that has enabled one of its interrupts
/// (register B) and has a handler of its own for IRQ 8 gets it whenever it waits in a HLT.
class Cmos : public PlainDevice<CmosState> {
 public:
  /// Bytes of the clock, in BCD.
  enum Index : std::size_t {
    kSecond = 0x00,
    kMinute = 0x02,
    kHour = 0x04,
    kDay = 0x07,
    kMonth = 0x08,
    kYear = 0x09,
    kCentury = 0x32,
  };

  /// `memory_size` bytes of RAM, which it tells.
  Cmos(std::uint64_t memory_size, std::shared_ptr<Pic> pic);
  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  void halted(GuestView& guest) override;
  [[nodiscard]] std::uint8_t byte(Index at) const { return state_.bytes.at(at); }
  void set_byte(Index at, std::uint8_t value) { state_.bytes.at(at) = value; }

 private:
  std::shared_ptr<Pic> pic_;
};

struct SystemControlState {
  std::uint8_t port_92 = 0;  ///< without the gate, whose state is the guest's
};

/// Port 92h: the A20 gate, and a reset. Port CF9h: a reset.
class SystemControl : public PlainDevice<SystemControlState> {
 public:
  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
};

struct DebugPortsState {
  std::uint8_t post_code = 0;
};

/// Port 80h, which keeps the last code that a guest wrote, and port E9h, the debug console, which
/// reads E9h where there is one.
class DebugPorts : public PlainDevice<DebugPortsState> {
 public:
  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
};

}  // namespace hltest::internal
