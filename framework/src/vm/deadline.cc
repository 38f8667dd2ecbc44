#include "vm/deadline.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <hltest/error.h>

namespace hltest::internal {
namespace {

// A real-time signal that nobody else is waiting for, from the last one down: the program has no
// handler for it and has not blocked it. A thread that blocks them all, as many do, has one that is
// not pending.
int unused_signal(const sigset_t& blocked) {
  sigset_t pending;
  sigpending(&pending);
  int fallback = 0;
  for (int signal = SIGRTMAX; signal >= SIGRTMIN; --signal) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    if (sigismember(&blocked, signal) == 0) return signal;
    if (fallback == 0 && sigismember(&pending, signal) == 0) fallback = signal;
  }
  if (fallback != 0) return fallback;
  throw SetupError(
      "the deadline needs a real-time signal that this program has no handler for: leave one of "
      "SIGRTMIN to SIGRTMAX alone");
}

sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

sigset_t current_mask() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

timespec in(std::chrono::microseconds time) {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  at.tv_sec += seconds.count();
  at.tv_nsec += std::chrono::nanoseconds(time - seconds).count();
  if (at.tv_nsec >= 1'000'000'000) {
    at.tv_nsec -= 1'000'000'000;
    ++at.tv_sec;
  }
  return at;
}

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

}  // namespace

Deadline::Deadline(std::chrono::microseconds timeout)
    : signal_(unused_signal(current_mask())), end_(in(timeout)), mask_before_(current_mask()) {
  mask_in_guest_ = mask_before_;
  sigdelset(&mask_in_guest_, signal_);

  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_;
  event.sigev_value.sival_ptr = this;
  event._sigev_un._tid = gettid();  // glibc has no other name for sigev_notify_thread_id
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    throw HostError("timer_create for the deadline", errno);
  }
  const sigset_t set = only(signal_);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  try {
    arm(end_);
  } catch (...) {
    timer_delete(timer_);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    throw;
  }
}

void Deadline::arm(const timespec& at) const {
  const itimerspec once{.it_interval = {}, .it_value = at};
  if (timer_settime(timer_, TIMER_ABSTIME, &once, nullptr) == 0) return;
  throw HostError("timer_settime for the deadline", errno);
}

void Deadline::wake_in(std::chrono::microseconds time) {
  const timespec at = in(time);
  arm(is_before(at, end_) ? at : end_);
}

void Deadline::take_signal() {
  const sigset_t set = only(signal_);
  const timespec now{};
  siginfo_t info{};
  for (;;) {
    if (sigtimedwait(&set, &info, &now) > 0) {
      const bool is_own = info.si_code == SI_TIMER && info.si_value.sival_ptr == this;
      if (!is_own) of_the_program_.push_back(info);
    } else if (errno != EINTR) {
      return;
    }
  }
}

Deadline::~Deadline() {
  timer_delete(timer_);
  // It may have fired meanwhile: let in, it would end the process.
  take_signal();
  for (siginfo_t& info : of_the_program_) {
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), signal_, &info);
  }
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

bool Deadline::has_passed() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return !is_before(now, end_);
}

std::chrono::microseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::duration_cast<std::chrono::microseconds>(
                                                std::chrono::nanoseconds{now.tv_nsec});
}

bool StepTime::is_up() {
  constexpr std::chrono::seconds kLongestStep{4};
  const std::chrono::microseconds now = processor_time();
  if (!since_) since_ = now;
  return now - *since_ >= kLongestStep;
}

}  // namespace hltest::internal
