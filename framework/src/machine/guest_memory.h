#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include "kvm/mapping.h"
#include "machine/memory_snapshot.h"

namespace hltest {

/// An access outside the guest's memory, or memory that this host can't give; the message names the
/// range and what there is.
class MemoryError : public std::out_of_range {
 public:
  using std::out_of_range::out_of_range;
};

/// Host memory that backs a range of guest-physical addresses.
struct MemoryRegion {
  Gpa base;
  std::span<std::uint8_t> bytes;
  enum class Kind { kRam, kSystem, kRom } kind;
};

/// The guest's physical memory, from the test's side: RAM, which starts as zeros, and the
/// framework's own region, which a test can only read. Untouched memory costs nothing. Every access
/// is checked: one that is not wholly inside throws `MemoryError` and changes nothing.
class GuestMemory {
 public:
  /// `size` bytes of RAM (4 KiB aligned, not 0); where they go round the framework's region, the
  /// layout is that of a guest which starts in `mode`. Throws `MemoryError`.
  GuestMemory(std::uint64_t size, CpuMode mode);
  /// Another memory with what that one held. Throws `MemoryError`.
  explicit GuestMemory(const MemorySnapshot& snapshot);

  /// Bytes of RAM.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Changes the size; what is in the RAM stays, as far as it fits. Throws `MemoryError`, also
  /// while a guest runs on it.
  void resize(std::uint64_t size);
  /// From now on until `false`, a guest runs on it.
  void set_in_use(bool in_use);

  /// Some bytes that were written from the test's side.
  struct Write {
    Gpa gpa{};
    std::vector<std::uint8_t> bytes{};
  };
  /// What was written since the last call, or since a guest runs on it.
  [[nodiscard]] std::vector<Write> take_writes_in_use() { return std::exchange(writes_, {}); }

  /// What it holds now; nothing where that is more than `MemorySnapshot::kMostBytes`.
  [[nodiscard]] std::optional<MemorySnapshot> snapshot() const;

  /// Reads a number or any other trivially copyable type, in the guest's byte order.
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T read(Gpa gpa) const {
    T value;
    copy_out(gpa, {reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void write(Gpa gpa, const T& value) {
    copy_in(gpa, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }

  [[nodiscard]] std::vector<std::uint8_t> read_bytes(Gpa gpa, std::uint64_t count) const;
  void write_bytes(Gpa gpa, std::span<const std::uint8_t> bytes) { copy_in(gpa, bytes); }
  void fill(Gpa gpa, std::uint64_t count, std::uint8_t value);

  /// The characters from `gpa` up to a NUL, which is not part of it. Throws `MemoryError` when
  /// there is none within `limit` bytes.
  [[nodiscard]] std::string read_string(Gpa gpa, std::uint64_t limit = 4 * kKiB) const;
  /// The characters and a NUL.
  void write_string(Gpa gpa, std::string_view text);

  /// True when `count` bytes from `gpa` on are RAM.
  [[nodiscard]] bool is_ram(Gpa gpa, std::uint64_t count) const;
  /// True when something backs `gpa`: RAM or the framework's region.
  [[nodiscard]] bool is_backed(Gpa gpa) const;
  /// True when any of `count` bytes from `gpa` on is backed.
  [[nodiscard]] bool overlaps(Gpa gpa, std::uint64_t count) const;
  /// The end of the RAM that lies below the system region: where the first stack starts.
  [[nodiscard]] Gpa end_of_low_ram() const;
  /// The first and the last address that RAM leaves to the framework (and, below 4 GiB, to KVM).
  [[nodiscard]] std::pair<Gpa, Gpa> framework_range() const;
  /// `RAM 0x0-0xeffff and 0x100000-0xffffff`.
  [[nodiscard]] std::string describe_ram() const;

  /// What KVM's memory slots are made of; no two overlap.
  [[nodiscard]] std::vector<MemoryRegion> regions() const;
  /// The framework's region, to be laid out; `size` is 4 KiB aligned. Zeroed.
  std::span<std::uint8_t> create_system_region(std::uint64_t size);

 private:
  void copy_out(Gpa gpa, std::span<std::uint8_t> to) const;
  void copy_in(Gpa gpa, std::span<const std::uint8_t> from);
  // Pages from the first of a pair to the second, by their offsets in RAM.
  using PageRuns = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

  void remember_written(std::span<const std::uint8_t> part);
  [[nodiscard]] std::vector<std::size_t> pages_in_use() const;
  template <typename Visit>
  void visit(const char* operation, Gpa gpa, std::uint64_t count, bool writes, Visit&& visit) const;

  CpuMode mode_;
  std::uint64_t size_;
  kvm::Mapping ram_;
  kvm::Mapping system_;
  bool in_use_ = false;
  std::vector<Write> writes_;  // while it is in use
  // The pages of RAM that may hold something; nothing when the kernel has to be asked, since a
  // guest has run. Asking it takes long for gigabytes.
  std::optional<PageRuns> written_ = PageRuns{};
};

}  // namespace hltest
