#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/bus.h"

namespace hltest::internal {

/// Addresses of one space that a device answers at.
struct Claim {
  Space space = Space::kPort;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  // Of MSRs: the directions that are taken from KVM.
  bool reads = true;
  bool writes = true;
  /// Of ports: an access of several bytes is one to each of so many ports.
  bool is_byte_wide = false;
};

/// `port 0x60`, `ports 0x60-0x64`, `MMIO 0xfec00000-0xfec00fff`, `MSR 0x1234`.
std::string to_string(const Claim& claim);

/// The state of each device, in the order of their claims.
using DeviceStates = std::vector<std::vector<std::uint8_t>>;

/// The devices of a machine, by the addresses that they answer at.
class DeviceBus : public Bus {
 public:
  /// Throws `SetupError` for an empty range, and for one that overlaps another device's.
  void attach(const Claim& claim, std::shared_ptr<Device> device);
  /// The same for a device that makes room for any other: it is not attached where there is one,
  /// and gone when another is attached there.
  void attach_beneath(const Claim& claim, std::shared_ptr<Device> device);
  /// The same in place of the device that has exactly this claim.
  void replace(const Claim& claim, std::shared_ptr<Device> device);
  /// The device at an address, where it has exactly this one; otherwise a new `T` there. Throws
  /// `SetupError` where another device has it.
  template <typename T>
  T& device_at(const Claim& claim) {
    if (Slot* const slot = find(claim.space, claim.first); slot != nullptr && !slot->is_beneath) {
      if (auto* const device = dynamic_cast<T*>(slot->device.get())) return *device;
    }
    auto device = std::make_shared<T>();
    attach(claim, device);
    return *device;
  }
  /// Changes the directions of an MSR's claim.
  void widen(Space space, std::uint64_t address, bool reads, bool writes);

  bool answer(Access& access, GuestView& guest) override;
  [[nodiscard]] std::optional<Vector> interrupt() const override;
  void acknowledge(Vector vector) override;
  void halted(GuestView& guest) override;

  /// Puts each device into the state that it had before its first run.
  void begin_run();
  [[nodiscard]] DeviceStates save() const;
  /// Throws `SetupError` for states of other devices than these.
  void restore(const DeviceStates& states);

  [[nodiscard]] std::vector<Claim> claims(Space space) const;

 private:
  struct Slot {
    Claim claim;
    std::shared_ptr<Device> device;
    bool is_beneath = false;
    bool has_run = false;
    std::vector<std::uint8_t> before{};  // its state before its first run
  };
  Slot* find(Space space, std::uint64_t address);
  bool answer_by_bytes(Access& access, GuestView& guest);

  // By space and first address. The slots are shared, so that a device which is replaced while it
  // answers lives until it returns.
  std::map<std::pair<Space, std::uint64_t>, std::shared_ptr<Slot>> slots_;
};

}  // namespace hltest::internal
