#pragma once

#include <hltest/machine.h>

#include <string>
#include <utility>

namespace hltest::internal {

/// A guest that only waits: what a device or a service sees without a VM.
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

}  // namespace hltest::internal
