#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hltest/service_call.h>
#include <hltest/x86/address.h>
#include <hltest/x86/msr.h>
#include <hltest/x86/vector.h>

namespace hltest {

/// The number of an I/O port.
using Port = std::uint16_t;

/// What a guest can access besides its memory.
enum class Space : std::uint8_t {
  kPort,       ///< IN and OUT, each element of INS and OUTS
  kMmio,       ///< guest-physical addresses without memory
  kMsr,        ///< RDMSR and WRMSR that KVM leaves to hltest
  kInterrupt,  ///< a vector that a service answered: `AccessLog::calls`
};

enum class Direction : std::uint8_t {
  kRead,   ///< IN, a load, RDMSR
  kWrite,  ///< OUT, a store, WRMSR
};

/// One access of a guest to a port, to memory-mapped I/O or to an MSR, or its call of a service.
struct Access {
  Space space = Space::kPort;
  Direction direction = Direction::kWrite;
  std::uint8_t size = 1;  ///< in bytes: 1, 2 or 4; for MMIO 1 to 8, for an MSR 8
  /// False when no device answered: a read gave all ones, a write went nowhere, RDMSR and WRMSR
  /// raised #GP. An OUT that no device takes counts as answered: it is captured.
  bool answered = true;
  std::uint64_t address = 0;  ///< the port, the guest-physical address, the MSR or the vector
  std::uint64_t value = 0;    ///< of a call: EAX before it

  static Access in(Port port, std::uint8_t size, std::uint64_t value);
  static Access out(Port port, std::uint8_t size, std::uint64_t value);

  [[nodiscard]] bool is_read() const { return direction == Direction::kRead; }
  [[nodiscard]] Port port() const { return static_cast<Port>(address); }
  [[nodiscard]] Gpa gpa() const { return Gpa{address}; }
  [[nodiscard]] Msr msr() const { return static_cast<Msr>(address); }

  friend bool operator==(const Access&, const Access&) = default;
};

/// `out 0x3f8, byte 0x34`, `in 0x60, byte 0xff (floating bus)`, `read 0xfee00020, 4 bytes: 0x1`,
/// `wrmsr 0x1234: 0x55 (#GP)`.
std::string to_string(const Access& access);

/// What a read of `size` bytes (1 to 8) gives where no device answers: all ones.
constexpr std::uint64_t floating_bus(std::uint8_t size) {
  return size < 8 ? (1ULL << (8U * size)) - 1 : ~0ULL;
}

/// Bytes that a device or a function of the test's wrote to the guest's memory.
struct MemoryWrite {
  std::uint64_t access = 0;  ///< the access, counted from 0, that it answered meanwhile
  Gpa gpa{};
  std::vector<std::uint8_t> bytes{};
};

/// A device or a service opened or closed the A20 gate.
struct A20Change {
  std::uint64_t access = 0;  ///< the access, counted from 0, that it answered meanwhile
  bool is_open = true;
};

/// An interrupt that a device requested.
struct InterruptRequest {
  std::uint64_t access = 0;  ///< how many accesses the guest had made
  Vector vector{};
  bool at_halt = false;  ///< because the guest waited in a HLT
  /// While the guest was stepped: after so many instructions.
  std::optional<std::uint64_t> instructions = std::nullopt;
  /// Because the guest came to this linear address.
  std::optional<Gva> address = std::nullopt;
};

/// Finds what the serial ports COM1 to COM4 transmit in accesses, which it is given in order.
/// Writes to a data port while its divisor latch is open (DLAB, bit 7 of the line control register,
/// the fourth port), or while it loops back (bit 4 of modem control, the fifth), are none.
class SerialOutput {
 public:
  /// The character, if this access transmits one.
  std::optional<char> transmitted(const Access& access);

 private:
  std::array<bool, 4> latch_open_{};
  std::array<bool, 4> is_in_loop_{};
};

/// Every access of a run in the guest's order, `rep outsb` as one access for each element. A value;
/// copies share what they hold. One thread at a time may use it.
class AccessLog {
 public:
  /// Accesses beyond this many are counted and not kept: 48 MiB of them.
  static constexpr std::size_t kMostKept = 2U << 20U;
  /// Calls of services that are kept; the rest is counted.
  static constexpr std::size_t kMostCalls = 1U << 15U;
  /// Characters of the console that are kept.
  static constexpr std::size_t kMostConsole = 16U << 20U;
  /// Bytes that devices wrote to memory; when there are more, none is kept.
  static constexpr std::uint64_t kMostWritten = 16 * kMiB;

  using value_type = Access;
  using const_iterator = std::vector<Access>::const_iterator;

  AccessLog();

  void add(const Access& access);
  void add(MemoryWrite write);
  void add(const InterruptRequest& request);
  void add(const A20Change& change);
  void add(const ServiceCall& call);

  /// Those that are kept.
  [[nodiscard]] const std::vector<Access>& all() const { return records_->accesses; }
  [[nodiscard]] std::size_t size() const { return all().size(); }
  [[nodiscard]] const Access& operator[](std::size_t index) const { return all().at(index); }
  [[nodiscard]] const_iterator begin() const { return all().begin(); }
  [[nodiscard]] const_iterator end() const { return all().end(); }

  /// How many accesses of a kind were made and not kept.
  [[nodiscard]] std::uint64_t dropped(Space space) const;
  [[nodiscard]] std::uint64_t dropped() const;
  /// How many of a kind are kept.
  [[nodiscard]] std::size_t kept(Space space) const;

  /// What devices and functions of the test's wrote to memory, in order; see `kMostWritten`.
  [[nodiscard]] const std::vector<MemoryWrite>& memory_writes() const {
    return records_->memory_writes;
  }
  /// How many writes to memory were not kept.
  [[nodiscard]] std::uint64_t dropped_memory_writes() const {
    return records_->dropped_memory_writes;
  }
  [[nodiscard]] const std::vector<InterruptRequest>& interrupts() const {
    return records_->interrupts;
  }
  /// How the A20 gate was changed, in order.
  [[nodiscard]] const std::vector<A20Change>& a20_changes() const { return records_->a20_changes; }
  /// The calls that services answered, in order; see `kMostCalls`.
  [[nodiscard]] const std::vector<ServiceCall>& calls() const { return records_->calls; }
  [[nodiscard]] std::uint64_t dropped_calls() const { return records_->dropped_calls; }
  /// What the guest wrote as text, in its order: by services, and on the serial ports. Of every
  /// access, also of those that are not kept; up to `kMostConsole`.
  [[nodiscard]] const std::string& console() const { return records_->console; }

 private:
  struct Records {
    std::vector<Access> accesses{};
    std::array<std::uint64_t, 4> kept{};
    std::array<std::uint64_t, 4> dropped{};
    std::vector<MemoryWrite> memory_writes{};
    std::uint64_t written_bytes = 0;
    std::uint64_t dropped_memory_writes = 0;
    std::vector<InterruptRequest> interrupts{};
    std::vector<A20Change> a20_changes{};
    std::vector<ServiceCall> calls{};
    std::uint64_t dropped_calls = 0;
    std::string console{};
    SerialOutput serial{};
  };
  Records& own();

  std::shared_ptr<Records> records_;
};

/// The accesses of one kind in a log, in order.
class AccessView {
 public:
  AccessView() = default;
  AccessView(AccessLog log, Space space) : log_(std::move(log)), space_(space) {}

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Access;
    using difference_type = std::ptrdiff_t;
    using pointer = const Access*;
    using reference = const Access&;

    Iterator() = default;
    Iterator(const Access* at, const Access* end, Space space);
    const Access& operator*() const { return *at_; }
    const Access* operator->() const { return at_; }
    Iterator& operator++();
    Iterator operator++(int);
    friend bool operator==(const Iterator& left, const Iterator& right) {
      return left.at_ == right.at_;
    }

   private:
    const Access* at_ = nullptr;
    const Access* end_ = nullptr;
    Space space_{};
  };
  using value_type = Access;
  using const_iterator = Iterator;
  using iterator = Iterator;

  [[nodiscard]] std::size_t size() const { return log_.kept(space_); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  /// Throws std::out_of_range.
  [[nodiscard]] const Access& operator[](std::size_t index) const;
  [[nodiscard]] const Access& front() const { return (*this)[0]; }
  [[nodiscard]] const Access& back() const { return (*this)[size() - 1]; }
  /// How many were made and not kept.
  [[nodiscard]] std::uint64_t dropped() const { return log_.dropped(space_); }

 protected:
  AccessLog log_;
  Space space_{};
};

/// What a run exchanged with ports.
class PortView : public AccessView {
 public:
  PortView() : PortView(AccessLog{}) {}
  explicit PortView(AccessLog log) : AccessView(std::move(log), Space::kPort) {}

  /// What OUT gave the port, in order.
  [[nodiscard]] std::vector<Access> writes(Port port) const;
  [[nodiscard]] std::vector<std::uint32_t> values(Port port) const;
  /// What OUT gave the port as bytes: wider values lowest byte first.
  [[nodiscard]] std::vector<std::uint8_t> bytes(Port port) const;
  /// The same as text.
  [[nodiscard]] std::string text(Port port) const;

  /// What OUT gave one port.
  struct Output {
    Port port = 0;
    std::vector<std::uint8_t> bytes{};
  };
  /// All of it, in the order of each port's first write.
  [[nodiscard]] std::vector<Output> outputs() const;
  /// The ports that were written, in the order of their first write.
  [[nodiscard]] std::vector<Port> written_ports() const;
};

/// The text that the serial ports transmitted, in order: by OUT, and by INT 14h.
std::string serial_text(const AccessLog& log);

}  // namespace hltest
