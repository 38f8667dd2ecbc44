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
  std::vector<Access> expected;
  for (const char c : std::string{"Hello"}) {
    expected.push_back(Access::out(kDebugConsole, 1, static_cast<std::uint8_t>(c)));
  }
  expected.push_back(Access::out(0x80, 2, 0x1234));
  expected.push_back(Access::out(0x84, 4, 0x89ABCDEF));
  EXPECT_THAT(outcome.ports, ::testing::ElementsAreArray(expected));
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
  const PortView& accesses = outcome.ports;
  ASSERT_EQ(accesses.size(), 5U);
  EXPECT_EQ(accesses[3], Access::in(0x60, 2, 0x4444));
  EXPECT_EQ(accesses[4], (Access{.direction = Direction::kRead,
                                 .size = 4,
                                 .answered = false,
                                 .address = 0x60,
                                 .value = 0xFFFF'FFFF}));
  EXPECT_EQ(to_string(accesses[4]), "in 0x60, dword 0xffffffff (floating bus)");
}

TYPED_TEST(PortsInEveryMode, UnscriptedInReadsAllOnes) {
  const Outcome outcome = this->run(guests::read_port);

  EXPECT_EQ(outcome.registers.bl(), 0xFF);
  EXPECT_EQ(outcome.registers.si(), 0xFFFF);
  EXPECT_EQ(outcome.registers.eax(), 0xFFFF'FFFFU);
  for (const Access& access : outcome.ports) EXPECT_FALSE(access.answered);
}

TYPED_TEST(PortsInEveryMode, StringInputReadsElementByElement) {
  this->machine().ports().on_in(0x1F0, Answers{1, 2, 3});

  const Outcome outcome = this->run(guests::read_string_port);

  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(this->memory(), HasBytes(Gpa{0x2000}, {1, 2, 3, 0xFF}));
  EXPECT_EQ(outcome.ports.size(), 4U);
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
  machine().ports().on_in(0x60, [&](const Access& access) {
    EXPECT_EQ(access.port(), 0x60);
    EXPECT_EQ(access.direction, Direction::kRead);
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
  machine().ports().on_out(kCom1,
                           [&](const Access& access) { text += static_cast<char>(access.value); });
  const Outcome outcome = run(guests::add_digits_newline, {.rax = 1, .rbx = 1});
  EXPECT_EQ(text, "2\n");
  EXPECT_THAT(outcome, Wrote(kCom1, "2\n"));
}

TEST_F(RealModeTest, WhatAHandlerThrowsComesOutOfTheRun) {
  machine().ports().on_in(0x60, [](const Access&) -> std::uint32_t {
    throw std::runtime_error("the device is on fire");
  });
  EXPECT_THROW((void)run(guests::read_port), std::runtime_error);
  // And nothing is broken by it.
  machine().ports().on_in(0x60, Always{1});
  EXPECT_THAT(run(guests::read_port), Halted());
}

TEST_F(RealModeTest, HandlersMayChangeTheScriptsThatCallThem) {
  std::string log;
  machine().ports().on_out(kCom1, [&, long_lived = std::string(100, 'x')](const Access&) {
    machine().ports().on_out(kCom1, [&](const Access&) { log += "second"; });
    log += "first " + std::to_string(long_lived.size()) + ' ';
  });
  EXPECT_THAT(run(guests::add_digits_newline), Halted());
  EXPECT_EQ(log, "first 100 second");
}

TEST_F(RealModeTest, ANewScriptBeginsWithItsFirstAnswer) {
  machine().ports().on_in(0x60, Answers{1, 2});
  machine().ports().on_out(0x61, [&](const Access&) {
    machine().ports().on_in(0x60, Answers{7, 8});
  });
  // in al, 0x60; out 0x61, al; in al, 0x60; hlt
  const Outcome outcome = run(RealModeImage{"asks", {0xE4, 0x60, 0xE6, 0x61, 0xE4, 0x60, 0xF4}});
  EXPECT_EQ(outcome.registers.al(), 7);
}

TEST_F(RealModeTest, HandlersMayNotRunOrResizeTheMachineThatCallsThem) {
  std::string errors;
  machine().ports().on_in(0x60, [&](const Access&) -> std::uint32_t {
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

TEST(PortScriptsTest, EmptyFunctionsAreErrors) {
  Machine machine{CpuMode::kReal16};
  PortScripts& bus = machine.ports();
  EXPECT_THROW(bus.on_in(0x60, Reader{}), SetupError);
  EXPECT_THROW(bus.on_in(0x60, std::function<int(const Access&)>{}), SetupError);
  EXPECT_THROW(bus.on_out(0x60, Writer{}), SetupError);
}

TEST_F(RealModeTest, StopsWhenAValueIsWritten) {
  const RealModeImage image = guests::count_to_port.loaded_at(Gpa{0x1000});
  machine().ports().stop_on_write(0xFF, 3);

  const Outcome outcome = run(image);

  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(std::get<ConditionMet>(outcome.stop).condition, "0x3 was written to port 0xff");
  EXPECT_THAT(outcome, WroteValues(0xFF, ElementsAre(0, 1, 2, 3)));

  EXPECT_THAT(run(image), WroteValues(0xFF, ElementsAre(0, 1, 2, 3))) << "a run starts anew";
}

// A string instruction that meets the condition half way: what is behind it is not in the log,
// whether KVM reports its elements one by one or together.
TEST_F(RealModeTest, StopsWithinAStringInstruction) {
  machine().ports().stop_after_writes(kDebugConsole, 2);
  const Outcome outcome = run(guests::print_string);
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_THAT(outcome, Wrote(kDebugConsole, "He"));
}

TEST(PortScriptsTest, ZeroWritesAreNoCondition) {
  Machine machine{CpuMode::kReal16};
  PortScripts& bus = machine.ports();
  EXPECT_THROW(bus.stop_after_writes(0x80, 0), SetupError);
}

TEST(AccessLogTest, KeepsItsBoundsAndSaysSo) {
  AccessLog log;
  log.add({.space = Space::kMmio});
  for (std::size_t i = 0; i < AccessLog::kMostKept + 2; ++i) log.add(Access::out(1, 1, 7));
  log.add({.space = Space::kMsr});
  EXPECT_EQ(log.size(), AccessLog::kMostKept);
  EXPECT_EQ(log.dropped(Space::kPort), 3U);
  EXPECT_EQ(log.dropped(Space::kMmio), 0U);
  EXPECT_EQ(log.dropped(Space::kMsr), 1U);
  EXPECT_EQ(log.dropped(), 4U);
  EXPECT_EQ(PortView{log}.size(), AccessLog::kMostKept - 1);
}

TEST(AccessLogTest, SerialTextLeavesTheDivisorLatchOut) {
  AccessLog log;
  log.add(Access::out(kCom1 + 3, 1, 0x80));  // DLAB
  log.add(Access::out(kCom1, 1, 0x01));      // divisor
  log.add(Access::out(kCom1 + 3, 1, 0x03));
  for (const char c : std::string{"ok"}) log.add(Access::out(kCom1, 1, static_cast<unsigned>(c)));
  log.add(Access::out(kCom2, 1, '!'));
  log.add(Access::out(0x80, 1, 'x'));
  EXPECT_EQ(serial_text(log), "ok!");
}

TEST(AccessLogTest, APortsDivisorLatchIsItsOwn) {
  AccessLog log;
  log.add(Access::out(kCom2 + 3, 1, 0x80));  // DLAB
  log.add(Access::out(kCom1, 1, 'o'));
  log.add(Access::out(kCom2, 1, 0x01));  // divisor
  log.add(Access::out(kCom1 + 3, 1, 0x03));
  log.add(Access::out(kCom2, 1, 0x01));
  log.add(Access::out(kCom1, 1, 'k'));
  EXPECT_EQ(serial_text(log), "ok");
}

TEST(AccessLogTest, ACopyKeepsWhatItHad) {
  AccessLog log;
  log.add(Access::out(1, 1, 1));
  const AccessLog copy = log;
  log.add(Access::out(1, 1, 2));
  EXPECT_EQ(copy.size(), 1U);
  EXPECT_EQ(log.size(), 2U);
}

}  // namespace
