#pragma once

#include <chrono>
#include <csignal>
#include <ctime>

namespace hltest {

/// Ends KVM_RUN at a point in time. A timer sends this thread, and no other, a real-time signal
/// that is blocked for as long as the deadline lives; only inside KVM_RUN is it let in
/// (KVM_SET_SIGNAL_MASK), and there it ends the run with EINTR without being delivered. So there is
/// no moment at which it can be missed, no handler, and no thread.
class Deadline {
 public:
  /// `timeout` is more than 0. Throws std::system_error when the host has no timer left.
  explicit Deadline(std::chrono::microseconds timeout);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  /// Leaves the thread's signal mask and pending signals as they were.
  ~Deadline();

  /// The thread's signal mask with the timer's signal let in.
  [[nodiscard]] const sigset_t& mask_in_guest() const { return mask_in_guest_; }
  [[nodiscard]] bool has_passed() const;

 private:
  timer_t timer_{};
  int signal_;
  timespec end_{};
  sigset_t mask_before_{};
  sigset_t mask_in_guest_{};
};

}  // namespace hltest
