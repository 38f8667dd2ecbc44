#include "machine/deadline.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hltest {
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
  throw std::system_error(
      EBUSY, std::generic_category(),
      "the deadline needs a real-time signal that this program has no handler for");
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

}  // namespace

Deadline::Deadline(std::chrono::microseconds timeout)
    : signal_(unused_signal(current_mask())), mask_before_(current_mask()) {
  mask_in_guest_ = mask_before_;
  sigdelset(&mask_in_guest_, signal_);
  const sigset_t set = only(signal_);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);

  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_;
  event._sigev_un._tid = gettid();  // glibc has no other name for sigev_notify_thread_id
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    const int error_number = errno;
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    throw std::system_error(error_number, std::generic_category(), "timer_create for the deadline");
  }
  clock_gettime(CLOCK_MONOTONIC, &end_);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  end_.tv_sec += seconds.count();
  end_.tv_nsec += std::chrono::nanoseconds(timeout - seconds).count();
  if (end_.tv_nsec >= 1'000'000'000) {
    end_.tv_nsec -= 1'000'000'000;
    ++end_.tv_sec;
  }
  const itimerspec at{.it_interval = {}, .it_value = end_};
  timer_settime(timer_, TIMER_ABSTIME, &at, nullptr);
}

Deadline::~Deadline() {
  timer_delete(timer_);
  // It may have fired meanwhile: let in, it would end the process.
  const sigset_t set = only(signal_);
  const timespec now{};
  while (sigtimedwait(&set, nullptr, &now) > 0 || errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

bool Deadline::has_passed() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > end_.tv_sec || (now.tv_sec == end_.tv_sec && now.tv_nsec >= end_.tv_nsec);
}

}  // namespace hltest
