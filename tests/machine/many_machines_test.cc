// Machines are independent: in threads, one after the other, and in a process that dies.
#include <hltest/hltest.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace hltest;

std::ptrdiff_t open_files() {
  const std::filesystem::directory_iterator files{"/proc/self/fd"};
  return std::distance(begin(files), end(files));
}

// in al, 0x60; mov [0x5000], al; add bl, al; out 0x80, al; hlt
const RealModeImage kSums{"sums", {0xE4, 0x60, 0xA2, 0x00, 0x50, 0x00, 0xC3, 0xE6, 0x80, 0xF4}};

class ManyMachines : public RealModeTest {};  // skipped without KVM

TEST_F(ManyMachines, EightThreadsWithAMachineEach) {
  constexpr unsigned kThreads = 8;
  constexpr unsigned kRuns = 10;
  std::atomic<unsigned> right = 0;
  std::vector<std::thread> threads;
  std::vector<std::string> errors(kThreads);
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([thread, &right, &error = errors[thread]] {
      try {
        Machine machine{CpuMode::kReal16};
        machine.ports().on_in(0x60, Always{thread});
        for (unsigned i = 0; i < kRuns; ++i) {
          const Outcome outcome = machine.run(kSums, {.rbx = i});
          const bool is_right = outcome.halted() && outcome.registers.bl() == thread + i &&
                                machine.memory().read<std::uint8_t>(Gpa{0x5000}) == thread &&
                                outcome.ports.values(0x80) == std::vector<std::uint32_t>{thread};
          right += is_right ? 1U : 0U;
        }
      } catch (const std::exception& thrown) {
        error = thrown.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) EXPECT_EQ(error, "");
  EXPECT_EQ(right, kThreads * kRuns);
}

TEST_F(ManyMachines, FiveHundredOneAfterTheOther) {
  // The first leaves what the process keeps for all.
  (void)Machine{CpuMode::kReal16}.run(kSums);
  const std::ptrdiff_t before = open_files();
  for (unsigned i = 0; i < 500; ++i) {
    Machine machine{CpuMode::kReal16};
    machine.set_memory_size(64 * kKiB);
    ASSERT_THAT(machine.run(kSums), Halted()) << i;
  }
  EXPECT_EQ(open_files(), before);
}

// An outcome holds memory for its report, but no VM.
TEST_F(ManyMachines, OutcomesHoldNoFiles) {
  (void)run(kSums);
  const std::ptrdiff_t before = open_files();
  std::vector<Outcome> outcomes;
  for (unsigned i = 0; i < 50; ++i) outcomes.push_back(run(kSums));
  EXPECT_EQ(open_files(), before);
}

TEST_F(ManyMachines, MachinesAliveAtOnceDoNotMixTheirMemory) {
  std::vector<Machine> machines;
  for (unsigned i = 0; i < 10; ++i) {
    machines.emplace_back(CpuMode::kReal16);
    machines.back().ports().on_in(0x60, Always{i});
  }
  for (Machine& machine : machines) EXPECT_THAT(machine.run(kSums), Halted());
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(machines[i].memory().read<std::uint8_t>(Gpa{0x5000}), i);
  }
}

// GoogleTest runs the statement in a child: with a fork of this process, the fixture's VM is the
// parent's.
TEST_F(ManyMachines, ADeathTestMayRunAGuest) {
  machine().ports().on_in(0x60, Always{3});
  const auto run_and_exit = [this] {
    std::exit(run(kSums).registers.bl() == 3 ? 7 : 1);  // NOLINT(concurrency-mt-unsafe)
  };
  EXPECT_EXIT(run_and_exit(), ::testing::ExitedWithCode(7), "");
  EXPECT_EQ(run(kSums).registers.bl(), 3);
}

TEST_F(ManyMachines, AHandlerMayEndTheProcess) {
  machine().ports().on_in(0x60, [](const Access&) -> std::uint64_t { std::_Exit(9); });
  EXPECT_EXIT((void)run(kSums), ::testing::ExitedWithCode(9), "");
}

}  // namespace
