#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hltest/access.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

class GuestMemory;

/// The guest, as a device or a function of the test's sees it while it answers an access. It is
/// good only for the duration of the call, on the thread that runs the guest.
class GuestView {
 public:
  GuestView(const GuestView&) = delete;
  GuestView& operator=(const GuestView&) = delete;
  virtual ~GuestView() = default;

  /// The registers now. While an IN or OUT is answered, RIP is at or after the instruction,
  /// depending on the host's KVM.
  [[nodiscard]] virtual Registers registers() const = 0;
  /// The mode that they put the processor in.
  [[nodiscard]] CpuMode mode() const { return cpu_mode(registers()); }
  /// The guest's memory. What is written to it is logged with the access.
  [[nodiscard]] virtual GuestMemory& memory() = 0;
  /// How many accesses the guest has made before this one.
  [[nodiscard]] virtual std::uint64_t accesses() const = 0;
  /// Whether the A20 gate is open. While it is closed, the second MiB of addresses is the first one
  /// once more for the processor; `memory` is the memory behind the gate.
  [[nodiscard]] virtual bool a20_is_open() const = 0;
  /// Opens or closes it. Throws `SetupError` for a guest that did not start in real mode.
  virtual void set_a20(bool is_open) = 0;
  /// Ends the run after this access; the outcome's `stop` is a `ConditionMet` with these words.
  virtual void stop(std::string condition) = 0;

 protected:
  GuestView() = default;
};

/// What answers a guest's accesses: at ports, at guest-physical addresses without memory, or to
/// MSRs. It knows no bus: `Machine::attach` puts it at an address. It is called on the thread that
/// runs the guest; what it throws ends the run and comes out of it.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// The value that a read gives; it is cut to the size of the access. Nothing where there is no
  /// answer: then a port or an address reads all ones, and RDMSR raises #GP.
  virtual std::optional<std::uint64_t> read(const Access& access, GuestView& guest);
  /// Takes a write; returns false where it does not: then WRMSR raises #GP.
  virtual bool write(const Access& access, GuestView& guest);

  /// The interrupt that it requests now. It is delivered when the guest has interrupts enabled, and
  /// wakes it from HLT; vector 2 is an NMI, and is delivered whether it has or not. The request has
  /// to change only in `read`, `write`, `acknowledge` and `halted`, so that a run can be replayed.
  [[nodiscard]] virtual std::optional<Vector> interrupt() const { return std::nullopt; }
  /// The processor has taken the interrupt.
  virtual void acknowledge(Vector /*vector*/) {}
  /// The guest waits in a HLT with interrupts enabled, or it jumps to itself, and none is
  /// requested: time passes. A device that requests an interrupt now wakes it. If none does, a HLT
  /// ends the run.
  virtual void halted(GuestView& /*guest*/) {}

  /// Its state as bytes, and the way back: each run of a test begins with the state that the device
  /// had before its first. A device without state needs neither.
  [[nodiscard]] virtual std::vector<std::uint8_t> save() const { return {}; }
  virtual void restore(std::span<const std::uint8_t> /*state*/) {}
};

/// Ports from `first` to `last`.
struct PortRange {
  Port first = 0;
  Port last = 0;
};

/// `size` bytes of guest-physical addresses.
struct MmioRange {
  Gpa base{};
  std::uint64_t size = 0;
};

/// MSRs from `first` to `last`: 0x3000 at most, none of the x2APIC's (0x800 to 0x8FF), which KVM
/// leaves to nobody. Which of both directions are taken from KVM.
struct MsrRange {
  Msr first{};
  Msr last{};
  bool reads = true;
  bool writes = true;
};

}  // namespace hltest
