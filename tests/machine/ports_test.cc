// OUT is captured, IN is scripted, and a run can stop on what is written.
#include <hltest/hltest.h>

#include <stdexcept>

#include "guests/every_mode.h"
#include "guests/real_mode.h"
#include "guests/real_mode_at_64k.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;

template <typename Fixture>
class PortsInEveryMode : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(PortsInEveryMode, Fixtures);

TYPED_TEST(PortsInEveryMode, EveryOutIsCapturedWithWidthAndOrder) {
  const Outcome outcome = this->run(guests::print_string);

  ASSERT_THAT(outcome, Halted());
  std::vector<PortAccess> expected;
  for (const char c : std::string{"Hello"}) {
    expected.push_back({.port = kDebugConsole, .value = static_cast<std::uint32_t>(c)});
  }
  expected.push_back({.port = 0x80, .size = 2, .value = 0x1234});
  expected.push_back({.port = 0x84, .size = 4, .value = 0x89ABCDEF});
  EXPECT_EQ(outcome.ports.accesses(), expected);
  EXPECT_THAT(outcome, Wrote(kDebugConsole, "Hello"));
  EXPECT_THAT(outcome.ports.bytes(0x80), ElementsAre(0x34, 0x12));
  EXPECT_THAT(outcome.ports.bytes(0x84), ElementsAre(0xEF, 0xCD, 0xAB, 0x89));
  EXPECT_THAT(outcome, WroteValues(0x84, ElementsAre(0x89ABCDEF)));
  EXPECT_THAT(outcome.ports.written_ports(), ElementsAre(kDebugConsole, 0x80, 0x84));
}

TYPED_TEST(PortsInEveryMode, AnswersComeInOrderAndThenTheBusFloats) {
  this->machine().ports().on_in(0x60, Answers{0x11, 0x1FF, 0x33, 0x4444});

  const Outcome outcome = this->run(guests::read_port);

  EXPECT_EQ(outcome.registers.bl(), 0x11);
  EXPECT_EQ(outcome.registers.cl(), 0xFF) << "cut to the width of the IN";
  EXPECT_EQ(outcome.registers.dl(), 0x33);
  EXPECT_EQ(outcome.registers.si(), 0x4444);
  EXPECT_EQ(outcome.registers.eax(), 0xFFFF'FFFFU) << "nothing is left";
  const auto& accesses = outcome.ports.accesses();
  ASSERT_EQ(accesses.size(), 5U);
  EXPECT_EQ(accesses[3], (PortAccess{.port = 0x60,
                                     .direction = Direction::kIn,
                                     .size = 2,
                                     .scripted = true,
                                     .value = 0x4444}));
  EXPECT_EQ(accesses[4], (PortAccess{.port = 0x60,
                                     .direction = Direction::kIn,
                                     .size = 4,
                                     .scripted = false,
                                     .value = 0xFFFF'FFFF}));
  EXPECT_EQ(to_string(accesses[4]), "in 0x60, dword 0xffffffff (floating bus)");
}

TYPED_TEST(PortsInEveryMode, UnscriptedInReadsAllOnes) {
  const Outcome outcome = this->run(guests::read_port);

  EXPECT_EQ(outcome.registers.bl(), 0xFF);
  EXPECT_EQ(outcome.registers.si(), 0xFFFF);
  EXPECT_EQ(outcome.registers.eax(), 0xFFFF'FFFFU);
  for (const PortAccess& access : outcome.ports.accesses()) EXPECT_FALSE(access.scripted);
}

TYPED_TEST(PortsInEveryMode, StringInputReadsElementByElement) {
  this->machine().ports().on_in(0x1F0, Answers{1, 2, 3});

  const Outcome outcome = this->run(guests::read_string_port);

  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(this->memory(), HasBytes(Gpa{0x2000}, {1, 2, 3, 0xFF}));
  EXPECT_EQ(outcome.ports.accesses().size(), 4U);
}

TEST_F(RealModeTest, ConstantBytesAndCallbackAnswer) {
  machine().ports().on_in(0x60, Always{0x99});
  EXPECT_EQ(run(guests::read_port).registers.dl(), 0x99);

  machine().ports().on_in(0x60, AnswerBytes{{1, 2, 3, 4, 5, 6}});
  const Outcome bytes = run(guests::read_port);
  EXPECT_EQ(bytes.registers.dl(), 3);
  EXPECT_EQ(bytes.registers.si(), 0x0504) << "a wide IN takes several, lowest first";
  EXPECT_EQ(bytes.registers.eax(), 0xFFFF'FF06U) << "what is missing floats";

  unsigned asked = 0;
  machine().ports().on_in(0x60, [&](const PortAccess& access) {
    EXPECT_EQ(access.port, 0x60);
    EXPECT_EQ(access.direction, Direction::kIn);
    return ++asked + 0x100U * access.size;
  });
  const Outcome callback = run(guests::read_port);
  EXPECT_EQ(callback.registers.dl(), 3);
  EXPECT_EQ(callback.registers.si(), 0x204);
  EXPECT_EQ(callback.registers.eax(), 0x405U);
  EXPECT_EQ(asked, 5U);
}

TEST_F(RealModeTest, WriterIsToldOfEveryOut) {
  std::string text;
  machine().ports().on_out(
      kCom1, [&](const PortAccess& access) { text += static_cast<char>(access.value); });
  const Outcome outcome = run(guests::add_digits_newline, {.rax = 1, .rbx = 1});
  EXPECT_EQ(text, "2\n");
  EXPECT_THAT(outcome, Wrote(kCom1, "2\n"));
}

TEST_F(RealModeTest, WhatAHandlerThrowsComesOutOfTheRun) {
  machine().ports().on_in(0x60, [](const PortAccess&) -> std::uint32_t {
    throw std::runtime_error("the device is on fire");
  });
  EXPECT_THROW((void)run(guests::read_port), std::runtime_error);
  // And nothing is broken by it.
  machine().ports().on_in(0x60, Always{1});
  EXPECT_THAT(run(guests::read_port), Halted());
}

TEST_F(RealModeTest, HandlersMayChangeTheScriptsThatCallThem) {
  std::string log;
  machine().ports().on_out(kCom1, [&, long_lived = std::string(100, 'x')](const PortAccess&) {
    machine().ports().on_out(kCom1, [&](const PortAccess&) { log += "second"; });
    log += "first " + std::to_string(long_lived.size()) + ' ';
  });
  EXPECT_THAT(run(guests::add_digits_newline), Halted());
  EXPECT_EQ(log, "first 100 second");
}

TEST_F(RealModeTest, HandlersMayNotRunOrResizeTheMachineThatCallsThem) {
  std::string errors;
  machine().ports().on_in(0x60, [&](const PortAccess&) -> std::uint32_t {
    try {
      (void)run(guests::read_port);
    } catch (const SetupError& error) {
      errors += error.what();
    }
    try {
      machine().set_memory_size(64 * kMiB);
    } catch (const MemoryError& error) {
      errors += error.what();
    }
    return 7;
  });
  const Outcome outcome = run(guests::read_port);
  EXPECT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 7);
  EXPECT_THAT(errors, ::testing::StartsWith("run() was called by a handler"));
  EXPECT_THAT(errors, ::testing::EndsWith("it can't be changed while a guest runs on it"));
  machine().set_memory_size(64 * kMiB);
}

TEST(PortBusTest, EmptyFunctionsAreErrors) {
  PortBus bus;
  EXPECT_THROW(bus.on_in(0x60, PortReader{}), std::invalid_argument);
  EXPECT_THROW(bus.on_out(0x60, nullptr), std::invalid_argument);
}

TEST_F(RealModeTest, StopsWhenAValueIsWritten) {
  const RealModeImage image = guests::count_to_port.loaded_at(Gpa{0x1000});
  machine().ports().stop_on_write(0xFF, 3);

  const Outcome outcome = run(image);

  ASSERT_THAT(outcome, Stopped());
  EXPECT_EQ(std::get<ConditionMet>(outcome.stop).condition, "0x3 was written to port 0xff");
  EXPECT_THAT(outcome, WroteValues(0xFF, ElementsAre(0, 1, 2, 3)));

  EXPECT_THAT(run(image), WroteValues(0xFF, ElementsAre(0, 1, 2, 3))) << "a run starts anew";
}

// A string instruction that meets the condition half way: what is behind it is not in the log,
// whether KVM reports its elements one by one or together.
TEST_F(RealModeTest, StopsWithinAStringInstruction) {
  machine().ports().stop_after_writes(kDebugConsole, 2);
  const Outcome outcome = run(guests::print_string);
  ASSERT_THAT(outcome, Stopped());
  EXPECT_THAT(outcome, Wrote(kDebugConsole, "He"));
}

TEST(PortBusTest, ZeroWritesAreNoCondition) {
  PortBus bus;
  EXPECT_THROW(bus.stop_after_writes(0x80, 0), std::invalid_argument);
}

TEST(PortLogTest, KeepsItsBoundsAndSaysSo) {
  PortLog log;
  for (std::size_t i = 0; i < PortLog::kMostKept + 3; ++i) log.add({.port = 1, .value = 7});
  EXPECT_EQ(log.accesses().size(), PortLog::kMostKept);
  EXPECT_EQ(log.dropped(), 3U);
}

TEST(PortLogTest, SerialTextLeavesTheDivisorLatchOut) {
  PortLog log;
  log.add({.port = kCom1 + 3, .value = 0x80});  // DLAB
  log.add({.port = kCom1, .value = 0x01});      // divisor
  log.add({.port = kCom1 + 3, .value = 0x03});
  for (const char c : std::string{"ok"}) {
    log.add({.port = kCom1, .value = static_cast<std::uint32_t>(c)});
  }
  log.add({.port = kCom2, .value = '!'});
  log.add({.port = 0x80, .value = 'x'});
  EXPECT_EQ(serial_text(log), "ok!");
}

}  // namespace
