#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <hltest/image.h>
#include <hltest/interrupt_moment.h>

#include "devices/requested_interrupt.h"
#include "vm/observer.h"

namespace hltest::internal {

/// An interrupt that a test wants, and what requests it.
struct WantedInterrupt {
  Vector vector{};
  InterruptMoment moment{};
  std::shared_ptr<RequestedInterrupt> source{};
};

/// Requests the interrupts that a test wants, in one run.
class InterruptMoments : public Observer {
 public:
  /// Throws `SetupError` for a label that `image` does not have, and for more addresses than a
  /// processor has breakpoints.
  InterruptMoments(std::span<const WantedInterrupt> wanted, const FlatImage& image);

  /// The interrupts of `wanted` that the guest has not got, in a sentence each.
  [[nodiscard]] std::vector<std::string> missed(std::span<const WantedInterrupt> wanted) const;

  void on_access(const Access& access, std::span<const MemoryWrite> writes) override;
  void on_halt(GuestView& guest) override;
  [[nodiscard]] bool wants_steps() const override;
  void on_instruction(GuestView& guest, std::uint64_t executed) override;
  [[nodiscard]] const std::vector<Gva>& breakpoints() const override { return breakpoints_; }
  void on_breakpoint(Gva address) override;

 private:
  // Requests those whose moment `has_come`, and forgets them.
  template <typename HasCome>
  void request_if(HasCome has_come);

  std::vector<WantedInterrupt> pending_;  // those that are still to come
  std::vector<Gva> breakpoints_;
  std::uint64_t accesses_ = 0;
};

}  // namespace hltest::internal
