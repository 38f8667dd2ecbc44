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

// What is told of a triple fault whose first fault is at the label `fault`.
Diagnosis expect_fault(const Outcome& outcome, Vector vector) {
  EXPECT_THAT(outcome, TripleFaulted());
  Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_TRUE(diagnosis.fault && diagnosis.fault->vector == vector) << to_text(diagnosis);
  EXPECT_TRUE(diagnosis.place && diagnosis.place->source &&
              diagnosis.place->source->label == "fault")
      << to_text(diagnosis);
  if (!diagnosis.place) diagnosis.place = Diagnosis::Place{};
  if (diagnosis.history.empty()) diagnosis.history.emplace_back();
  return diagnosis;
}

TEST_F(ProtectedModeTest, ReplayGoesOnFromTheLastAccesses) {
  for (const std::uint64_t writes : {1U, 15U, 16U, 17U, 100U}) {
    const Outcome outcome = run(guests::faults_after_output, {.rcx = writes});
    const Diagnosis diagnosis = expect_fault(outcome, Vector::kInvalidOpcode);
    EXPECT_EQ(diagnosis.place->registers.ecx(), 0U);
    EXPECT_EQ(outcome.ports.text(kCom1), std::string(writes, 'x'));
    EXPECT_EQ(diagnosis.history.back().instruction.substr(0, 4), "lidt");
  }
}

// Too many instructions to be stepped: all but the last moment runs at full speed.
TEST_F(ProtectedModeTest, ReplayReachesAFaultAfterALongLoop) {
  if (!HostCan(Ability::kSegmentLimitChecks)) {
    GTEST_SKIP() << "this processor is emulated: a step takes it milliseconds";
  }
  constexpr std::uint64_t kCount = 300'000;
  const Outcome outcome = run(guests::faults_after_a_loop, {.rcx = kCount});
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(diagnosis.place->registers.ebx(), kCount);
  ASSERT_THAT(diagnosis.history, SizeIs(Diagnosis::kMostSteps));
  EXPECT_EQ(diagnosis.cause, "the divisor ecx is 0");
}

// A MOVS between MMIO addresses is one instruction with two accesses.
TEST_F(ProtectedModeTest, HistoryIsWholeWhenAnInstructionMakesSeveralAccesses) {
  std::vector<std::uint8_t> code(20, 0xA5);  // movsd
  code.insert(code.end(), {0x0F, 0x0B});     // ud2
  const Outcome outcome =
      run(ProtectedModeImage{"copies", code}, {.rsi = 0xFEC0'0000, .rdi = 0xFEC0'1000});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  ASSERT_THAT(outcome.mmio, SizeIs(40));
  EXPECT_THAT(diagnose(outcome).history, SizeIs(Diagnosis::kMostSteps));
}

TEST_F(ProtectedModeTest, ReplayIsGivenWhatTheHandlersGave) {
  int calls = 0;
  machine().ports().on_in(0x60, [&](const Access&, GuestView& guest) {
    guest.memory().write<std::uint16_t>(Gpa{0x5000}, 0x300);
    return ++calls;
  });
  machine().ports().on_in(0x61, Answers{0x20});
  machine().mmio().attach(Gpa{0xFEC00000}, 4,
                          {.read = [&](const Access&) { return 0x4000 * ++calls; }});
  const Outcome outcome = run(guests::faults_on_what_it_reads);
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(diagnosis.place->registers.esi(), 0x1U + 0x20 + 0x8000 + 0x300);
  EXPECT_EQ(calls, 2) << "the handlers are not called again";
}

TEST_F(LongModeTest, ReplayTakesSseMsrsAndDebugRegistersAlong) {
  const Outcome outcome = run(guests::sse_before_the_fault, {.rcx = 40});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(diagnosis.place->registers.rax, 0x1122334455667788U);
  EXPECT_EQ(diagnosis.place->registers.ebx(), 0x12345678U);
  EXPECT_EQ(diagnosis.place->registers.rsi, 0x5678U);
}

// Stepping sets RFLAGS.TF, and PUSHF must not show it.
TEST_F(ProtectedModeTest, ReplayHidesItsStepsFromPushf) {
  const Outcome outcome = run(guests::checks_for_cpuid);
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(diagnosis.place->registers.eax() & Rflags::kTf, 0U);
  for (const HistoryStep& step : diagnosis.history) {
    for (const NamedValue& change : step.changes) {
      const bool shows_tf = change.name == "rax" && (change.value & Rflags::kTf) != 0;
      EXPECT_FALSE(shows_tf) << step.instruction;
    }
  }
}

// What a handler of the guest's mends is not what it died of.
TEST_F(LongModeTest, ReplayPassesWhatTheGuestHandles) {
  const Outcome outcome = run(guests::handled_then_broken);
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(diagnosis.place->registers.ecx(), 2U);
  EXPECT_EQ(diagnosis.undelivered,
            "the IDT entry for #DE (vector 0x0) is not a gate: null descriptor");
}

TEST_F(LongModeTest, ReplayPassesADoubleFaultThatTheGuestHandles) {
  const Outcome outcome = run(guests::double_fault_handled);
  const Diagnosis diagnosis = expect_fault(outcome, Vector::kDivideError);
  EXPECT_EQ(diagnosis.place->registers.ecx(), 1U);
}

TEST_F(ProtectedModeTest, AGuestThatStepsItselfIsNotReplayed) {
  const Outcome outcome = run(guests::steps_itself);
  ASSERT_THAT(outcome, TripleFaulted());
  EXPECT_EQ(diagnose(outcome).not_replayed, "it sets RFLAGS.TF, by which KVM steps");
}

// A handler that writes for ever must not fill the host's memory; one that fails to is no write.
TEST_F(ProtectedModeTest, WhatHandlersWriteIsKeptWithinBounds) {
  const std::vector<std::uint8_t> bytes(1 * kMiB, 1);
  machine().ports().on_out(kCom1, [&](const Access&) {
    memory().write_bytes(Gpa{0x100000}, bytes);
    EXPECT_THROW(memory().write_bytes(Gpa{0xE0000000}, bytes), MemoryError);
  });
  const Outcome few = run(guests::faults_after_output, {.rcx = 3});
  expect_fault(few, Vector::kInvalidOpcode);
  EXPECT_THAT(few.accesses.memory_writes(), SizeIs(3));
  const Outcome many = run(guests::faults_after_output, {.rcx = 40});
  EXPECT_THAT(many.accesses.memory_writes(), SizeIs(0));
  EXPECT_EQ(many.accesses.dropped_memory_writes(), 40U);
  EXPECT_EQ(diagnose(many).not_replayed,
            "it made more accesses to ports, MMIO or MSRs than are kept");
}

TEST_F(ProtectedModeTest, ARerunIsReplayedWithTheMemoryThatItFound) {
  EXPECT_THAT(run(guests::add, {.rax = 1, .rbx = 2}), Halted());
  memory().write<std::uint16_t>(Gpa{0x5000}, 7);
  machine().ports().on_in(0x60, Always{0});
  machine().ports().on_in(0x61, Always{0});
  machine().mmio().attach(Gpa{0xFEC00000}, 4, {.read = [](const Access&) { return 0; }});
  const Diagnosis diagnosis =
      expect_fault(rerun(guests::faults_on_what_it_reads), Vector::kInvalidOpcode);
  EXPECT_EQ(diagnosis.place->registers.esi(), 7U);
}

TEST_F(ProtectedModeTest, AnExceptionHasAHistory) {
  const Outcome outcome = run(guests::divide_by_zero);
  ASSERT_THAT(outcome, Raised(DivideError()));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_FALSE(diagnosis.history.empty());
  EXPECT_EQ(diagnosis.history.back().mode, CpuMode::kProtected32);
  EXPECT_FALSE(diagnosis.history.back().instruction.empty());
}

TEST_F(RealModeTest, ASoftwareInterruptHasAHistory) {
  const Outcome outcome = run(RealModeImage{"calls_bios", {0xB4, 0x0E, 0xCD, 0x10, 0xF4}});
  ASSERT_THAT(outcome, CalledInterrupt(0x10));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_THAT(diagnosis.history, SizeIs(1));
  EXPECT_EQ(diagnosis.history[0].instruction, "mov ah, 0xe");
}

TEST_F(ProtectedModeTest, ARunThatHaltedIsNotReplayed) {
  const Diagnosis diagnosis = diagnose(run(guests::add, {.rax = 1, .rbx = 2}));
  EXPECT_EQ(diagnosis.not_replayed, "");
  EXPECT_THAT(diagnosis.history, SizeIs(0));
}

// An outcome has all that its diagnosis needs: it can be diagnosed after further runs, after the
// test has changed the memory, and after its machine is gone.
TEST(DiagnoseTest, NeedsNoMachine) {
  std::optional<Outcome> outcome;
  try {
    Machine machine{CpuMode::kProtected32};
    outcome = machine.run(guests::faults_after_output, {.rcx = 1});
    machine.memory().fill(Gpa{0x1000}, 0x1000, 0);
    EXPECT_THAT(machine.run(guests::add.in<CpuMode::kProtected32>(), {.rax = 1, .rbx = 2}),
                Halted());
  } catch (const KvmUnavailable& unavailable) {
    GTEST_SKIP() << unavailable.what();
  }
  const Diagnosis diagnosis = expect_fault(*outcome, Vector::kInvalidOpcode);
  EXPECT_EQ(to_text(diagnosis), report(*outcome)) << "as often as one likes";
}

TEST_F(ProtectedModeTest, AGuestWithMuchMemoryIsReplayed) {
  machine().set_memory_size(128 * kMiB);
  memory().fill(Gpa{0x100000}, 17 * kMiB, 1);
  expect_fault(run(guests::faults_after_output, {.rcx = 1}), Vector::kInvalidOpcode);
}

// A log that was tampered with stands for a guest that depends on more than it is given: the replay
// makes an access that is not in the log.
TEST_F(ProtectedModeTest, AReplayThatGoesAnotherWayIsNotBelieved) {
  Outcome outcome = run(guests::faults_after_output, {.rcx = 3});
  outcome.accesses = AccessLog{};
  outcome.accesses.add(Access::out(kCom1, 1, 'x'));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed,
            "it made other accesses to ports, MMIO or MSRs the second time");
  EXPECT_FALSE(diagnosis.fault.has_value());
}

TEST_F(ProtectedModeTest, AReplayThatWritesAnotherValueIsNotBelieved) {
  Outcome outcome = run(guests::faults_after_output, {.rcx = 3});
  AccessLog others;
  for (Access access : outcome.accesses) {
    access.value ^= 1U;
    others.add(access);
  }
  outcome.accesses = others;
  EXPECT_EQ(diagnose(outcome).not_replayed,
            "it made other accesses to ports, MMIO or MSRs the second time");
}

TEST_F(ProtectedModeTest, AReplayWithFewerAccessesIsNotBelieved) {
  Outcome outcome = run(guests::faults_after_output, {.rcx = 3});
  outcome.accesses.add(Access::out(kCom1, 1, 'x'));
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "it came to another end the second time");
  EXPECT_FALSE(diagnosis.fault.has_value());
}

}  // namespace
