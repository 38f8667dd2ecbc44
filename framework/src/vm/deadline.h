#pragma once

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <vector>

namespace hltest::internal {

/// Ends KVM_RUN at a point in time. A timer sends this thread, and no other, a real-time signal
/// that is blocked for as long as the deadline lives; only inside KVM_RUN is it let in
/// (KVM_SET_SIGNAL_MASK), and there it ends the run with EINTR without being delivered. So there is
/// no handler and no thread. Call `has_passed` before each KVM_RUN: it asks the clock, so the
/// deadline holds even if the signal is lost.
class Deadline {
 public:
  /// `timeout` is more than 0. Throws `HostError` when the host has no timer left, `SetupError`
  /// where the program handles every real-time signal.
  explicit Deadline(std::chrono::microseconds timeout);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  /// Restores the thread's signal mask, and its pending signals.
  ~Deadline();

  /// The thread's signal mask with the timer's signal let in.
  [[nodiscard]] const sigset_t& mask_in_guest() const { return mask_in_guest_; }
  [[nodiscard]] bool has_passed() const;

  /// Ends the next KVM_RUN after this time, if the deadline does not come first.
  void wake_in(std::chrono::microseconds time);
  /// Takes the signal that ended KVM_RUN. A signal of the same number that the program sent is kept
  /// for it, until this deadline is gone.
  void take_signal();

 private:
  void arm(const timespec& at) const;

  timer_t timer_{};
  int signal_;
  timespec end_{};
  sigset_t mask_before_{};
  sigset_t mask_in_guest_{};
  std::vector<siginfo_t> of_the_program_;
};

/// What this thread has used of the processor, its guests' time included: a measure that does not
/// depend on how busy the host is.
std::chrono::microseconds processor_time();

/// How long one step may take, counted from its first interruption: some instructions never end.
class StepTime {
 public:
  bool is_up();

 private:
  std::optional<std::chrono::microseconds> since_;
};

}  // namespace hltest::internal
