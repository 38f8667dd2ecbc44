#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "kvm/ioctl.h"

namespace hltest::internal::kvm {

/// A structure of KVM's that ends in an array: `Header`, whose first member counts the entries, and
/// then the entries (kvm_cpuid2, kvm_msrs, kvm_msr_list). In C++, <linux/kvm.h> gives some of these
/// headers a wrong size, so they are laid out here by hand.
template <typename Header, typename Entry>
class Entries {
 public:
  /// Room for `count` entries, which are zeros.
  explicit Entries(std::size_t count) : buffer_(sizeof(Header) + count * sizeof(Entry)) {
    set_count(count);
  }
  explicit Entries(std::span<const Entry> entries) : Entries(entries.size()) {
    std::memcpy(buffer_.data() + sizeof(Header), entries.data(), entries.size_bytes());
  }

  /// Issues the request with this as its argument, and returns its result. Throws `HostError`.
  int call(const UniqueFd& fd, const Request<Header>& request, const std::string& detail) {
    return call_raw(fd, request.name, request.number, buffer_.data(), detail);
  }

  /// The entries that the header counts, as far as there is room for them.
  [[nodiscard]] std::vector<Entry> entries() const {
    std::uint32_t count = 0;
    std::memcpy(&count, buffer_.data(), sizeof count);
    const std::size_t room = (buffer_.size() - sizeof(Header)) / sizeof(Entry);
    std::vector<Entry> entries(std::min<std::size_t>(count, room));
    std::memcpy(entries.data(), buffer_.data() + sizeof(Header), entries.size() * sizeof(Entry));
    return entries;
  }
  /// What the header counts, which may be more than there was room for.
  [[nodiscard]] std::uint32_t count() const {
    std::uint32_t count = 0;
    std::memcpy(&count, buffer_.data(), sizeof count);
    return count;
  }

 private:
  void set_count(std::size_t count) {
    const auto value = static_cast<std::uint32_t>(count);
    std::memcpy(buffer_.data(), &value, sizeof value);
  }

  std::vector<std::uint8_t> buffer_;
};

}  // namespace hltest::internal::kvm
