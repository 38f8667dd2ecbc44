#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace hltest {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

/// An address of one address space. Two spaces do not mix: a `Gva` is never taken for a `Gpa`.
template <typename Space>
class Address {
 public:
  constexpr Address() = default;
  explicit constexpr Address(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t power_of_two) const {
    return (value_ & (power_of_two - 1)) == 0;
  }

  friend constexpr auto operator<=>(Address, Address) = default;
  friend constexpr Address operator+(Address address, std::uint64_t bytes) {
    return Address{address.value_ + bytes};
  }
  friend constexpr Address operator-(Address address, std::uint64_t bytes) {
    return Address{address.value_ - bytes};
  }
  /// The distance in bytes.
  friend constexpr std::uint64_t operator-(Address left, Address right) {
    return left.value_ - right.value_;
  }

 private:
  std::uint64_t value_ = 0;
};

/// A guest-physical address: what the guest's page tables translate to, and what KVM's memory
/// slots are made of.
using Gpa = Address<struct GuestPhysical>;

/// A guest-virtual address. The SDM calls it a linear address: segmentation is done, paging is not.
using Gva = Address<struct GuestVirtual>;

/// `0x` and the address in lower-case hexadecimal, without leading zeros.
std::string to_string(Gpa address);
std::string to_string(Gva address);
std::ostream& operator<<(std::ostream& stream, Gpa address);
std::ostream& operator<<(std::ostream& stream, Gva address);

}  // namespace hltest
