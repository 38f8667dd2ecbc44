// A guest that spins ends, wherever it spins, and the program it runs in notices nothing.
#include "vm/deadline.h"
#include <hltest/hltest.h>

#include <sys/time.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "guests/every_mode.h"
#include "guests/real_mode.h"
#include "guests/real_mode_at_64k.h"

namespace {

using namespace hltest;
using std::chrono::milliseconds;

template <typename Fixture>
class SpinInEveryMode : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(SpinInEveryMode, Fixtures);

TYPED_TEST(SpinInEveryMode, TimesOutAtItsRip) {
  this->machine().set_timeout(milliseconds{30});

  const Outcome outcome = this->run(guests::spin);

  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(std::get<Timeout>(outcome.stop).limit, milliseconds{30});
  EXPECT_EQ(outcome.registers.rip, 0x1000U);
  EXPECT_THAT(report(outcome), ::testing::HasSubstr("still running after 30 ms"));
}

TEST_F(ProtectedModeTest, TimesOutAtCpl3) {
  RegisterSettings& registers = machine().registers();
  registers.set_all_segments(Segment::flat_data(kUserDataSelector));
  registers.cs = Segment::flat_code32(kUserCode32Selector);
  machine().set_timeout(milliseconds{30});

  const Outcome outcome = run(guests::spin);

  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(mode_name(outcome.registers), "protected32_user");
  EXPECT_EQ(outcome.registers.rip, 0x1000U);
}

TEST_F(LongModeTest, TimesOutAtCpl3) {
  constexpr Gva kUserCode{0x40000000};
  machine().map({.gva = kUserCode, .gpa = Gpa{0x1000}, .flags = kReadWrite | kUser});
  RegisterSettings& registers = machine().registers();
  registers.set_all_segments(Segment::flat_data(kUserDataSelector));
  registers.cs = Segment::code64(kUserCode64Selector);
  machine().set_timeout(milliseconds{30});

  const Outcome outcome = run(guests::spin.in<kMode>().entered_at(kUserCode));

  ASSERT_THAT(outcome, TimedOut());
  EXPECT_EQ(mode_name(outcome.registers), "long64_user");
  EXPECT_EQ(outcome.registers.rip, kUserCode.value());
}

// A guest that exits all the time never waits inside KVM_RUN for the signal.
TEST_F(RealModeTest, TimesOutWhileItWritesToAPort) {
  machine().set_timeout(milliseconds{50});
  const Outcome outcome = run(guests::count_to_port.loaded_at(Gpa{0x1000}));
  ASSERT_THAT(outcome, TimedOut());
  EXPECT_FALSE(outcome.ports.values(0xFF).empty());
}

// Between the timer and entering the guest there is no moment at which the signal is lost: a
// handler that returns after the deadline makes the next entry the late one.
TEST_F(RealModeTest, ADeadlineThatPassesOutsideTheGuestIsNotMissed) {
  machine().set_timeout(milliseconds{20});
  machine().ports().on_in(0x60, [](const Access&) -> std::uint32_t {
    std::this_thread::sleep_for(milliseconds{40});
    return 0;
  });
  // in al, 0x60; jmp $
  EXPECT_THAT(run(RealModeImage{"late", {0xE4, 0x60, 0xEB, 0xFE}}), TimedOut());
}

TEST_F(RealModeTest, ManyShortDeadlinesAreAllKept) {
  machine().set_timeout(milliseconds{2});
  for (int i = 0; i < 10; ++i) ASSERT_THAT(run(guests::spin), TimedOut());
}

volatile std::sig_atomic_t user_signals = 0;

struct SignalState {
  sigset_t blocked{};
  std::vector<void (*)(int)> handlers;

  static SignalState now() {
    SignalState state;
    pthread_sigmask(SIG_SETMASK, nullptr, &state.blocked);
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
      struct sigaction action {};
      if (sigaction(signal, nullptr, &action) == 0) state.handlers.push_back(action.sa_handler);
    }
    return state;
  }
};

// But for the one that the kernel itself starts in a process whose VM runs.
std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name;
    std::ifstream{task.path() / "comm"} >> name;
    if (!name.starts_with("kvm-")) ++count;
  }
  return count;
}

TEST_F(RealModeTest, LeavesSignalsAndThreadsAsTheyWere) {
  const SignalState before = SignalState::now();
  const std::size_t threads = threads_of_this_process();
  machine().set_timeout(milliseconds{5});

  ASSERT_THAT(run(guests::spin), TimedOut());

  const SignalState after = SignalState::now();
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    EXPECT_EQ(sigismember(&before.blocked, signal), sigismember(&after.blocked, signal));
  }
  EXPECT_EQ(before.handlers, after.handlers);
  EXPECT_EQ(threads, threads_of_this_process());
  sigset_t pending;
  sigpending(&pending);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    EXPECT_EQ(sigismember(&pending, signal), 0) << "signal " << signal;
  }
}

// A signal of the program's own is delivered while the guest runs, and the guest goes on.
TEST_F(RealModeTest, SignalsOfTheProgramReachTheirHandler) {
  struct sigaction action {};
  action.sa_handler = [](int) { user_signals = user_signals + 1; };
  struct sigaction old {};
  ASSERT_EQ(sigaction(SIGALRM, &action, &old), 0);
  user_signals = 0;
  const itimerval every{.it_interval = {0, 5000}, .it_value = {0, 5000}};
  setitimer(ITIMER_REAL, &every, nullptr);
  machine().set_timeout(milliseconds{100});

  const Outcome outcome = run(guests::spin);

  const itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  sigaction(SIGALRM, &old, nullptr);
  EXPECT_THAT(outcome, TimedOut());
  EXPECT_GT(user_signals, 3);
}

// Worker threads often block every signal.
TEST_F(RealModeTest, AThreadThatBlocksAllSignalsHasADeadlineToo) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  machine().set_timeout(milliseconds{20});
  const Outcome outcome = run(guests::spin);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_THAT(outcome, TimedOut());
}

// Two guests in two threads have a deadline each.
TEST(DeadlineTest, EveryThreadHasItsOwn) {
  const auto spin = [](milliseconds timeout, std::optional<Outcome>& outcome) {
    try {
      Machine machine{CpuMode::kReal16};
      machine.set_timeout(timeout);
      outcome = machine.run(guests::spin.in<CpuMode::kReal16>());
    } catch (const KvmUnavailable&) {
      outcome.reset();
    }
  };
  std::optional<Outcome> first;
  std::optional<Outcome> second;
  std::thread other{spin, milliseconds{20}, std::ref(first)};
  spin(milliseconds{60}, second);
  other.join();
  if (!first.has_value() || !second.has_value()) GTEST_SKIP() << "KVM can't be used";
  EXPECT_THAT(*first, TimedOut());
  EXPECT_THAT(*second, TimedOut());
}

TEST(DeadlineTest, AProgramWithHandlersForEverySignalIsToldSo) {
  std::vector<std::pair<int, struct sigaction>> old;
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    struct sigaction before {};
    sigaction(signal, &ignore, &before);
    old.emplace_back(signal, before);
  }
  EXPECT_THROW(internal::Deadline{milliseconds{10}}, SetupError);
  for (const auto& [signal, action] : old) sigaction(signal, &action, nullptr);
}

// Such a guest has no snapshots, and nothing is due before the deadline.
TEST_F(ProtectedModeTest, AGuestWithMuchMemoryInUseTimesOut) {
  machine().set_memory_size(128 * kMiB);
  memory().fill(Gpa{0x100000}, 65 * kMiB, 1);
  machine().set_timeout(milliseconds{100});
  EXPECT_THAT(run(guests::spin), TimedOut());
}

}  // namespace
