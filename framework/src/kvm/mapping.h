#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kvm/unique_fd.h"

namespace hltest::internal::kvm {

/// Host memory that is unmapped with its owner.
class Mapping {
 public:
  static constexpr std::size_t kPage = 4096;

  Mapping() = default;
  /// Zeroed pages that cost nothing until they are touched. Throws `HostError`.
  static Mapping anonymous(std::size_t size);
  /// `size` bytes of `fd`, shared with the kernel. Throws `HostError`.
  static Mapping shared(const UniqueFd& fd, std::size_t size);

  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  /// Makes an anonymous mapping zeros again, which cost nothing. Throws `HostError`.
  void clear();

  /// The offsets of the pages (4 KiB) that have been touched, by the program or by a guest: what is
  /// not among them holds zeros. Throws `HostError`.
  [[nodiscard]] std::vector<std::size_t> touched_pages() const;

  [[nodiscard]] std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  Mapping(void* data, std::size_t size) : data_(static_cast<std::uint8_t*>(data)), size_(size) {}

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace hltest::internal::kvm
