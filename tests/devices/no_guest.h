#pragma once

#include <hltest/hltest.h>

#include <string>
#include <utility>

namespace hltest::internal {

/// A guest that only waits: what a device sees in a test of its own.
class WaitingGuest : public GuestView {
 public:
  [[nodiscard]] Registers registers() const override { return registers_; }
  [[nodiscard]] GuestMemory& memory() override { return memory_; }
  [[nodiscard]] std::uint64_t accesses() const override { return 0; }
  [[nodiscard]] bool a20_is_open() const override { return a20_is_open_; }
  void set_a20(bool is_open) override { a20_is_open_ = is_open; }
  void stop(std::string condition) override { stopped_ = std::move(condition); }

  Registers registers_;
  GuestMemory memory_{kMemorySize, CpuMode::kReal16};
  bool a20_is_open_ = true;
  std::string stopped_;
};

/// A device on a bus, accessed as a guest would.
class Wired {
 public:
  explicit Wired(Device& device) : device_(device) {}
  void out(Port port, std::uint64_t value, std::uint8_t size = 1) {
    device_.write(Access::out(port, size, value), guest);
  }
  std::uint64_t in(Port port, std::uint8_t size = 1) {
    return device_.read(Access::in(port, size, 0), guest).value() & floating_bus(size);
  }
  WaitingGuest guest;

 private:
  Device& device_;
};

}  // namespace hltest::internal
