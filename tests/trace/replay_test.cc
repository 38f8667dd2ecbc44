// A replay comes to the same end as the run did, whatever the run was given, and says so where it
// can't.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "guests/every_mode.h"
#include "guests/replay_long.h"
#include "guests/replay_protected.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;
using ::testing::SizeIs;

void expect_fault(const Outcome& outcome, Vector vector) {
  ASSERT_THAT(outcome, TripleFaulted());
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "");
  ASSERT_NE(outcome.fault(), nullptr) << report(outcome);
  EXPECT_EQ(outcome.fault()->vector, vector);
  ASSERT_TRUE(outcome.source().has_value()) << report(outcome);
  EXPECT_EQ(outcome.source()->label, "fault");
}

TEST_F(ProtectedModeTest, ReplayGoesOnFromTheLastAccesses) {
  for (const std::uint64_t writes : {1U, 15U, 16U, 17U, 100U}) {
    const Outcome outcome = replayed(run(guests::faults_after_output, {.rcx = writes}));
    expect_fault(outcome, Vector::kInvalidOpcode);
    EXPECT_EQ(outcome.registers.ecx(), 0U);
    EXPECT_EQ(outcome.ports.text(kCom1), std::string(writes, 'x')) << "the logs are the run's own";
    EXPECT_EQ(outcome.history->steps.back().instruction.substr(0, 4), "lidt");
  }
}

// Too many instructions to be stepped: all but the last moment runs at full speed.
TEST_F(ProtectedModeTest, ReplayReachesAFaultAfterALongLoop) {
  if (!HostCan(Ability::kSegmentLimitChecks)) {
    GTEST_SKIP() << "this processor is emulated: a step takes it milliseconds";
  }
  constexpr std::uint64_t kCount = 300'000;
  const Outcome outcome = replayed(run(guests::faults_after_a_loop, {.rcx = kCount}));
  expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(outcome.registers.ebx(), kCount);
  ASSERT_THAT(outcome.history->steps, SizeIs(History::kMostSteps));
  EXPECT_EQ(outcome.fault()->cause, "the divisor ecx is 0");
}

TEST_F(ProtectedModeTest, ReplayIsGivenWhatTheHandlersGave) {
  int calls = 0;
  machine().ports().on_in(0x60, PortReader{[&](const PortAccess&) {
                            memory().write<std::uint16_t>(Gpa{0x5000}, 0x300);
                            return std::uint32_t(++calls);
                          }});
  machine().ports().on_in(0x61, Answers{0x20});
  machine().mmio().attach(Gpa{0xFEC00000}, 4,
                          {.read = [&](const MmioAccess&) { return 0x4000 * ++calls; }});
  const Outcome outcome = replayed(run(guests::faults_on_what_it_reads));
  expect_fault(outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(outcome.registers.esi(), 0x1U + 0x20 + 0x8000 + 0x300);
  EXPECT_EQ(calls, 2) << "the handlers are not called again";
}

TEST_F(LongModeTest, ReplayTakesSseMsrsAndDebugRegistersAlong) {
  const Outcome outcome = replayed(run(guests::sse_before_the_fault, {.rcx = 40}));
  SKIP_AT_HOST_LIMIT(outcome);
  expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(outcome.registers.rax, 0x1122334455667788U);
  EXPECT_EQ(outcome.registers.ebx(), 0x12345678U);
  EXPECT_EQ(outcome.registers.rsi, 0x5678U);
}

// Stepping sets RFLAGS.TF, and PUSHF must not show it.
TEST_F(ProtectedModeTest, ReplayHidesItsStepsFromPushf) {
  const Outcome outcome = replayed(run(guests::checks_for_cpuid));
  expect_fault(outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(outcome.registers.eax() & Rflags::kTf, 0U);
  for (const HistoryStep& step : outcome.history->steps) {
    for (const NamedValue& change : step.changes) {
      const bool shows_tf = change.name == "rax" && (change.value & Rflags::kTf) != 0;
      EXPECT_FALSE(shows_tf) << step.instruction;
    }
  }
}

// What a handler of the guest's mends is not what it died of.
TEST_F(LongModeTest, ReplayPassesWhatTheGuestHandles) {
  const Outcome outcome = replayed(run(guests::handled_then_broken));
  expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(outcome.registers.ecx(), 2U);
  EXPECT_EQ(std::get<TripleFault>(outcome.stop).undelivered,
            "the IDT entry for #DE (vector 0x0) is not a gate: null descriptor");
}

TEST_F(LongModeTest, ReplayPassesADoubleFaultThatTheGuestHandles) {
  const Outcome outcome = replayed(run(guests::double_fault_handled));
  expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(outcome.registers.ecx(), 1U);
}

TEST_F(ProtectedModeTest, AGuestThatStepsItselfIsNotReplayed) {
  const Outcome outcome = replayed(run(guests::steps_itself));
  ASSERT_THAT(outcome, TripleFaulted());
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "it sets RFLAGS.TF, by which KVM steps");
}

// A handler that writes for ever must not fill the host's memory; one that fails to is no write.
TEST_F(ProtectedModeTest, WhatHandlersWriteIsKeptWithinBounds) {
  const std::vector<std::uint8_t> bytes(1 * kMiB, 1);
  machine().ports().on_out(kCom1, [&](const PortAccess&) {
    memory().write_bytes(Gpa{0x100000}, bytes);
    EXPECT_THROW(memory().write_bytes(Gpa{0xE0000000}, bytes), MemoryError);
  });
  const Outcome few = replayed(run(guests::faults_after_output, {.rcx = 3}));
  expect_fault(few, Vector::kInvalidOpcode);
  const Outcome many = replayed(run(guests::faults_after_output, {.rcx = 40}));
  ASSERT_TRUE(many.history.has_value());
  EXPECT_EQ(many.history->failure,
            "its memory held too much before the run to be kept for a second one");
}

TEST_F(ProtectedModeTest, ASecondRunIsReplayedWithTheMemoryThatItFound) {
  memory().write<std::uint32_t>(Gpa{0x9000}, 0x12345);
  EXPECT_THAT(run(guests::add, {.rax = 1, .rbx = 2}), Halted());
  memory().write<std::uint16_t>(Gpa{0x5000}, 7);
  machine().ports().on_in(0x60, Always{0});
  machine().ports().on_in(0x61, Always{0});
  machine().mmio().attach(Gpa{0xFEC00000}, 4, {.read = [](const MmioAccess&) { return 0; }});
  const Outcome outcome = replayed(run(guests::faults_on_what_it_reads));
  expect_fault(outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(outcome.registers.esi(), 7U);
}

TEST_F(ProtectedModeTest, AnExceptionHasAHistory) {
  const Outcome outcome = replayed(run(guests::divide_by_zero));
  ASSERT_THAT(outcome, Raised(DivideError()));
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "");
  ASSERT_FALSE(outcome.history->steps.empty());
  const HistoryStep& last = outcome.history->steps.back();
  EXPECT_EQ(last.mode, CpuMode::kProtected32);
  EXPECT_FALSE(last.instruction.empty());
}

TEST_F(RealModeTest, ASoftwareInterruptHasAHistory) {
  const Outcome outcome =
      replayed(run(RealModeImage{"calls_bios", {0xB4, 0x0E, 0xCD, 0x10, 0xF4}}));
  ASSERT_THAT(outcome, Raised(Vector{0x10}));
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "");
  ASSERT_THAT(outcome.history->steps, SizeIs(1));
  EXPECT_EQ(outcome.history->steps[0].instruction, "mov ah, 0xe");
}

TEST_F(ProtectedModeTest, ARunThatHaltedComesBackAsItIs) {
  const Outcome outcome = replayed(run(guests::add, {.rax = 1, .rbx = 2}));
  EXPECT_THAT(outcome, Halted());
  EXPECT_FALSE(outcome.history.has_value());
}

TEST_F(ProtectedModeTest, ReplayTakesTheMachineThatRan) {
  const Outcome first = run(guests::faults_after_output, {.rcx = 1});
  EXPECT_THAT(run(guests::add, {.rax = 1, .rbx = 2}), Halted());
  const Outcome outcome = replayed(first);
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "its machine is gone, or has begun another run");
  EXPECT_THAT(report(outcome),
              HasSubstr("not replayed: its machine is gone, or has begun another run"));
}

TEST_F(ProtectedModeTest, ReplayTakesAMemoryThatCanBeKept) {
  machine().set_memory_size(128 * kMiB);
  memory().fill(Gpa{0x100000}, 17 * kMiB, 1);
  const Outcome outcome = replayed(run(guests::faults_after_output, {.rcx = 1}));
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure,
            "its memory held too much before the run to be kept for a second one");
}

// A log that was tampered with stands for a guest that depends on more than it is given: the replay
// makes an access that is not in the log.
TEST_F(ProtectedModeTest, AReplayThatGoesAnotherWayIsNotBelieved) {
  Outcome outcome = run(guests::faults_after_output, {.rcx = 3});
  outcome.ports = PortLog{};
  outcome.ports.add({.port = kCom1, .value = 'x'});
  outcome = replayed(std::move(outcome));
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure,
            "it made other accesses to ports, MMIO or MSRs the second time");
  EXPECT_EQ(outcome.fault(), nullptr);
}

TEST_F(ProtectedModeTest, AReplayWithFewerAccessesIsNotBelieved) {
  Outcome outcome = run(guests::faults_after_output, {.rcx = 3});
  outcome.ports.add({.port = kCom1, .value = 'x'});
  outcome = replayed(std::move(outcome));
  ASSERT_TRUE(outcome.history.has_value());
  EXPECT_EQ(outcome.history->failure, "it came to another end the second time");
  EXPECT_EQ(outcome.fault(), nullptr);
}

}  // namespace
