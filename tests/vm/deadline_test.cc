// A deadline borrows a real-time signal of the thread, and leaves the program's signals alone.
#include "vm/deadline.h"

#include "start_of.h"

#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

namespace {

using namespace hltest;
using internal::Deadline;
using std::chrono::milliseconds;

// All signals of this thread as they were, afterwards.
class DeadlineTest : public ::testing::Test {
 protected:
  DeadlineTest() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~DeadlineTest() override {
    while (take_any()) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  static sigset_t mask() {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return now;
  }
  static void block_all() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
  }
  static void block_real_time() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }
  // The number of a real-time signal that is pending; 0 where none is.
  static int take_any(siginfo_t* info = nullptr) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&set, signal);
    const timespec now{};
    const int taken = sigtimedwait(&set, info, &now);
    return taken > 0 ? taken : 0;
  }
  // The signal that a deadline has taken: it is let in for the guest alone.
  static int signal_of(const Deadline& deadline) {
    const sigset_t outside = mask();
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
      if (sigismember(&outside, signal) != 0 &&
          sigismember(&deadline.mask_in_guest(), signal) == 0) {
        return signal;
      }
    }
    return 0;
  }
  static void expect_mask(const sigset_t& expected) {
    const sigset_t now = mask();
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
      EXPECT_EQ(sigismember(&now, signal), sigismember(&expected, signal)) << signal;
    }
  }

 private:
  sigset_t before_{};
};

TEST_F(DeadlineTest, RestoresTheMask) {
  const sigset_t before = mask();
  {
    const Deadline deadline{milliseconds{1}};
    EXPECT_NE(signal_of(deadline), 0);
    std::this_thread::sleep_for(milliseconds{5});
    EXPECT_TRUE(deadline.has_passed());
  }
  expect_mask(before);
  EXPECT_EQ(take_any(), 0) << "its signal went with it";
}

TEST_F(DeadlineTest, NestedOnesTakeDifferentSignals) {
  const Deadline outer{milliseconds{1000}};
  const int taken = signal_of(outer);
  const Deadline inner{milliseconds{1000}};
  EXPECT_EQ(sigismember(&inner.mask_in_guest(), taken), 1) << "the outer's waits until then";
  EXPECT_NE(signal_of(inner), 0);
}

// The inner one may take the outer's signal away: it has to give it back.
TEST_F(DeadlineTest, NestedOnesWithAllSignalsBlockedBothPass) {
  block_all();
  const sigset_t before = mask();
  {
    Deadline outer{milliseconds{10}};
    {
      Deadline inner{milliseconds{1}};
      std::this_thread::sleep_for(milliseconds{20});
      inner.take_signal();
      EXPECT_TRUE(inner.has_passed());
    }
    expect_mask(before);
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, signal_of(outer)), 1) << "the outer's signal is still there";
    EXPECT_TRUE(outer.has_passed());
  }
  EXPECT_EQ(take_any(), 0);
}

TEST_F(DeadlineTest, NestedRunsWithAllSignalsBlockedBothEnd) {
  const RealModeImage spin{"spin", {0xEB, 0xFE}};
  const RealModeImage asks{"asks", {0xE4, 0x60, 0xEB, 0xFE}};
  block_all();
  const sigset_t before = mask();
  std::optional<Outcome> outer_outcome;
  std::optional<Outcome> inner_outcome;
  try {
    Machine outer{CpuMode::kReal16};
    outer.set_timeout(milliseconds{40});
    outer.ports().on_in(0x60, [&](const Access&) {
      Machine inner{CpuMode::kReal16};
      inner.set_timeout(milliseconds{10});
      inner_outcome = inner.run(spin);
      return 0;
    });
    outer_outcome = outer.run(asks);
  } catch (const KvmUnavailable& unavailable) {
    GTEST_SKIP() << unavailable.what();
  }
  EXPECT_THAT(*outer_outcome, TimedOut());
  EXPECT_THAT(*inner_outcome, TimedOut());
  expect_mask(before);
}

// A signal that the program has pending is still pending afterwards, with its value.
TEST_F(DeadlineTest, ASignalOfTheProgramsStaysPending) {
  block_real_time();
  int taken = 0;
  {
    Deadline deadline{milliseconds{1}};
    taken = signal_of(deadline);
    if (taken == 0) taken = SIGRTMAX;  // all are blocked: it is the last one
    union sigval value {};
    value.sival_int = 42;
    ASSERT_EQ(sigqueue(getpid(), taken, value), 0);
    std::this_thread::sleep_for(milliseconds{5});
    deadline.take_signal();
    EXPECT_TRUE(deadline.has_passed());
  }
  siginfo_t info{};
  EXPECT_EQ(take_any(&info), taken);
  EXPECT_EQ(info.si_value.sival_int, 42);
  EXPECT_EQ(info.si_code, SI_QUEUE);
  EXPECT_EQ(take_any(), 0) << "the timer's own is gone";
}

TEST_F(DeadlineTest, APendingSignalIsNotTaken) {
  block_real_time();
  union sigval value {};
  ASSERT_EQ(sigqueue(getpid(), SIGRTMAX, value), 0);
  {
    const Deadline deadline{milliseconds{1}};
    EXPECT_EQ(sigismember(&deadline.mask_in_guest(), SIGRTMAX), 1) << "or it would end the guest";
  }
  EXPECT_EQ(take_any(), SIGRTMAX);
}

volatile std::sig_atomic_t handled = 0;

// Also where the signal has the next number to the deadline's own.
TEST_F(DeadlineTest, AHandlerOfTheProgramsIsCalledDuringARun) {
  struct sigaction action {};
  action.sa_handler = [](int) { handled = handled + 1; };
  struct sigaction old {};
  ASSERT_EQ(sigaction(SIGRTMAX, &action, &old), 0);
  handled = 0;
  const pthread_t self = pthread_self();
  std::optional<Outcome> outcome;
  try {
    Machine machine{CpuMode::kReal16};
    machine.set_timeout(milliseconds{100});
    machine.create_vm();
    std::jthread sender{[self] {
      for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(milliseconds{10});
        pthread_kill(self, SIGRTMAX);
      }
    }};
    outcome = machine.run(RealModeImage{"spin", {0xEB, 0xFE}});
  } catch (const KvmUnavailable&) {
  }
  sigaction(SIGRTMAX, &old, nullptr);
  if (!outcome) GTEST_SKIP() << "KVM can't be used";
  EXPECT_THAT(*outcome, TimedOut()) << "and the guest goes on after it";
  EXPECT_EQ(handled, 5);
}

}  // namespace
