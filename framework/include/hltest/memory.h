#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hltest/access.h>
#include <hltest/error.h>
#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest {

namespace internal {
class Backing;
class MachineMemory;
class SharedBacking;
template <typename T>
inline constexpr bool kIsArray = false;
template <typename T, std::size_t kSize>
inline constexpr bool kIsArray<std::array<T, kSize>> = true;
}  // namespace internal

/// A type that can lie in a guest's memory: trivially copyable, and no pointer, view or span, which
/// would be an address of the host's.
template <typename T>
concept GuestValue =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_reference_v<T> &&
    !std::is_member_pointer_v<T> && (internal::kIsArray<T> || !requires(T value) { value.data(); });

/// The guest's physical memory, from the test's side: RAM, which starts as zeros, and the
/// framework's own region, which a test can only read. Untouched memory costs nothing. Every access
/// is checked: one that is not wholly inside throws `MemoryError` and changes nothing.
///
/// Before a run it is what the guest will find; after one, what the guest left, and what the test
/// writes then is there for the next run too. One thread at a time may use it.
class GuestMemory {
 public:
  /// `size` bytes of RAM (4 KiB aligned, not 0); where they go round the framework's region, the
  /// layout is that of a guest which starts in `mode`. Throws `MemoryError`.
  GuestMemory(std::uint64_t size, CpuMode mode);
  /// A moved-from memory can only be assigned to or destroyed.
  GuestMemory(GuestMemory&&) noexcept;
  GuestMemory& operator=(GuestMemory&&) noexcept;
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory();

  /// Bytes of RAM.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Reads a number or any other trivially copyable type, in the guest's byte order. A `bool` is
  /// true unless its byte is 0.
  template <GuestValue T>
  [[nodiscard]] T read(Gpa gpa) const {
    if constexpr (std::is_same_v<T, bool>) {
      return read<std::uint8_t>(gpa) != 0;
    } else {
      T value;
      copy_out(gpa, {reinterpret_cast<std::uint8_t*>(&value), sizeof value});
      return value;
    }
  }
  /// Writes a value of a type that the call names: `write<std::uint16_t>(gpa, 1)`.
  template <GuestValue T>
  void write(Gpa gpa, const std::type_identity_t<T>& value) {
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
  /// `RAM 0x0-0xeffff and 0x100000-0xffffff`.
  [[nodiscard]] std::string describe_ram() const;

 private:
  GuestMemory() = default;
  friend class internal::MachineMemory;

  void copy_out(Gpa gpa, std::span<std::uint8_t> to) const;
  void copy_in(Gpa gpa, std::span<const std::uint8_t> from);
  void check_write(const char* operation, Gpa gpa, std::uint64_t count) const;
  [[nodiscard]] const internal::Backing& current() const;

  CpuMode mode_{};
  std::uint64_t size_ = 0;
  std::unique_ptr<internal::SharedBacking> setup_;  // as the test wrote it
  std::unique_ptr<internal::SharedBacking> live_;   // the guest's, once one has run
  std::vector<bool> own_vectors_;  // of the real-mode IVT: those that the test wrote to
  bool in_use_ = false;
  std::vector<MemoryWrite> writes_;  // while it is in use
};

}  // namespace hltest
