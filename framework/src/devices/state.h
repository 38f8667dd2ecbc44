#pragma once

#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include <hltest/device.h>

namespace hltest::internal {

/// A device whose state is a plain struct, which is saved and restored as its bytes.
template <typename State>
class PlainDevice : public Device {
 public:
  static_assert(std::is_trivially_copyable_v<State>);

  [[nodiscard]] std::vector<std::uint8_t> save() const override {
    std::vector<std::uint8_t> bytes(sizeof state_);
    std::memcpy(bytes.data(), &state_, sizeof state_);
    return bytes;
  }
  void restore(std::span<const std::uint8_t> bytes) override {
    if (bytes.size() == sizeof state_) std::memcpy(&state_, bytes.data(), sizeof state_);
  }

 protected:
  State state_{};
};

}  // namespace hltest::internal
