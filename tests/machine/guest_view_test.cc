// What a function of the test's sees of the guest and can do to it, and what the log has of it.
#include <hltest/hltest.h>

#include <optional>

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::SizeIs;

template <typename Fixture>
class GuestViewTest : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(GuestViewTest, Fixtures);

TYPED_TEST(GuestViewTest, ShowsTheGuestAsItIsNow) {
  std::optional<Registers> registers;
  std::optional<CpuMode> mode;
  std::vector<std::uint64_t> accesses;
  this->machine().ports().on_out(0x80, [&](const Access& access, GuestView& guest) {
    EXPECT_EQ(access.value, 0x42U);
    registers = guest.registers();
    mode = guest.mode();
    accesses.push_back(guest.accesses());
  });
  // mov bl, 7; out 0x80, al; out 0x80, al; hlt
  const Outcome outcome =
      this->run(Image<TypeParam::kMode>{"outs", {0xB3, 0x07, 0xE6, 0x80, 0xE6, 0x80, 0xF4}},
                {.rax = 0x42, .rsi = 0x1234});
  ASSERT_THAT(outcome, Halted());
  ASSERT_TRUE(registers.has_value());
  EXPECT_EQ(registers->bl(), 7);
  EXPECT_EQ(registers->si(), 0x1234);
  EXPECT_EQ(registers->cs, outcome.registers.cs);
  EXPECT_THAT(registers->rip, ::testing::AnyOf(0x1004U, 0x1006U)) << "at the OUT, or after it";
  EXPECT_EQ(mode, TypeParam::kMode);
  EXPECT_THAT(accesses, ElementsAre(0, 1)) << "before this one";
}

TYPED_TEST(GuestViewTest, StopsWithACondition) {
  this->machine().ports().on_in(0x60, [](const Access&, GuestView& guest) {
    if (guest.accesses() == 2) guest.stop("asked three times");
    return 0;
  });
  // again: in al, 0x60; inc ebx; jmp again
  const Outcome outcome =
      this->run(Image<TypeParam::kMode>{"asks", {0xE4, 0x60, 0xFF, 0xC3, 0xEB, 0xFA}});
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(std::get<ConditionMet>(outcome.stop).condition, "asked three times");
  EXPECT_EQ(outcome.registers.ebx(), 2U);
  EXPECT_THAT(outcome.ports, SizeIs(3));
  EXPECT_EQ(outcome.registers.rip, 0x1002U) << "the IN is completed";
  EXPECT_EQ(outcome.registers.al(), 0);
}

// KVM may request all elements of a REP INS at once: those after the condition are not read.
TEST_F(RealModeTest, StopsWithinAStringInput) {
  unsigned asked = 0;
  machine().ports().on_in(0x60, [&asked](const Access&, GuestView& guest) {
    if (++asked == 2) guest.stop("two are enough");
    return asked;
  });
  // mov dx, 0x60; mov di, 0x2000; mov cx, 8; rep insb; hlt
  const Outcome outcome = run(RealModeImage{
      "ins", {0xBA, 0x60, 0x00, 0xBF, 0x00, 0x20, 0xB9, 0x08, 0x00, 0xF3, 0x6C, 0xF4}});
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(asked, 2U);
  EXPECT_THAT(outcome.ports, SizeIs(2));
}

TEST_F(RealModeTest, TheFirstConditionIsTheOne) {
  machine().ports().on_out(0x80, [](const Access&, GuestView& guest) {
    guest.stop("first");
    guest.stop("second");
  });
  const Outcome outcome = run(RealModeImage{"out", {0xE6, 0x80, 0xF4}});
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(std::get<ConditionMet>(outcome.stop).condition, "first");
}

TEST_F(ProtectedModeTest, MmioAndMsrFunctionsSeeTheGuestToo) {
  machine().mmio().attach(Gpa{0xFEC00000}, 4,
                          {.read = [](const Access&, GuestView& guest) -> std::uint64_t {
                            return guest.registers().ebx() + 1;
                          }});
  machine().msrs().on_write(Msr{0x1234}, [](const Access& access, GuestView& guest) {
    EXPECT_EQ(access.value, guest.registers().eax());
    guest.stop("MSR written");
  });
  // mov ecx, 0x1234; mov eax, [0xFEC00000]; xor edx, edx; wrmsr; hlt
  const Outcome outcome = run(ProtectedModeImage{"mmio_msr",
                                                 {0xB9, 0x34, 0x12, 0x00, 0x00, 0xA1, 0x00, 0x00,
                                                  0xC0, 0xFE, 0x31, 0xD2, 0x0F, 0x30, 0xF4}},
                              {.rbx = 0x50});
  ASSERT_THAT(outcome, MetStopCondition());
  EXPECT_EQ(outcome.registers.eax(), 0x51U);
  EXPECT_EQ(outcome.registers.rip, 0x100EU);
}

// One log in the guest's order, whatever the spaces.
TEST_F(ProtectedModeTest, TheLogIsInTheGuestsOrder) {
  machine().msrs().on_read(Msr{0x1234}, 0x77);
  machine().ports().on_in(0x60, Answers{0x11});
  // mov ecx, 0x1234; out 0x80, al; rdmsr; mov [0xFEC00000], ebx; in al, 0x60; mov [0xFEC00004],
  // ebx; out 0x80, al; hlt
  const Outcome outcome =
      run(ProtectedModeImage{"mixed", {0xB9, 0x34, 0x12, 0x00, 0x00, 0xE6, 0x80, 0x0F, 0x32,
                                       0x89, 0x1D, 0x00, 0x00, 0xC0, 0xFE, 0xE4, 0x60, 0x89,
                                       0x1D, 0x04, 0x00, 0xC0, 0xFE, 0xE6, 0x80, 0xF4}},
          {.rax = 1, .rbx = 0xB});
  ASSERT_THAT(outcome, Halted());
  std::vector<std::string> log;
  for (const Access& access : outcome.accesses) log.push_back(to_string(access));
  EXPECT_THAT(log,
              ElementsAre("out 0x80, byte 0x1", "rdmsr 0x1234: 0x77",
                          "write 0xfec00000, 4 bytes: 0xb (nothing there)", "in 0x60, byte 0x11",
                          "write 0xfec00004, 4 bytes: 0xb (nothing there)", "out 0x80, byte 0x11"));
  EXPECT_THAT(outcome.ports, SizeIs(3));
  EXPECT_THAT(outcome.mmio, SizeIs(2));
  EXPECT_THAT(outcome.msrs, SizeIs(1));
  EXPECT_EQ(outcome.mmio[1].gpa(), Gpa{0xFEC00004});
  EXPECT_EQ(outcome.ports.back().value, 0x11U);
  EXPECT_THROW((void)outcome.msrs[1], std::out_of_range);
}

TEST_F(RealModeTest, WhatHandlersWriteIsInTheLogWithTheAccess) {
  machine().ports().on_in(0x60, [&](const Access&, GuestView& guest) {
    guest.memory().write<std::uint16_t>(Gpa{0x5000}, 0xAABB);
    memory().write<std::uint8_t>(Gpa{0x6000}, 0xCC);
    return 0;
  });
  // out 0x80, al; in al, 0x60; out 0x80, al; in al, 0x60; mov bx, [0x5000]; hlt
  const Outcome outcome = run(RealModeImage{
      "dma", {0xE6, 0x80, 0xE4, 0x60, 0xE6, 0x80, 0xE4, 0x60, 0x8B, 0x1E, 0x00, 0x50, 0xF4}});
  EXPECT_EQ(outcome.registers.bx(), 0xAABB);
  const std::vector<MemoryWrite>& writes = outcome.accesses.memory_writes();
  ASSERT_THAT(writes, SizeIs(4));
  EXPECT_EQ(writes[0].access, 1U);
  EXPECT_EQ(writes[1].access, 1U);
  EXPECT_EQ(writes[2].access, 3U);
  EXPECT_EQ(writes[3].access, 3U);
  EXPECT_EQ(writes[1].gpa, Gpa{0x6000}) << "by the machine's memory too";
  EXPECT_THAT(writes[0].bytes, ElementsAre(0xBB, 0xAA));
  EXPECT_EQ(outcome.accesses.dropped_memory_writes(), 0U);
}

TEST_F(RealModeTest, StartRegistersAndCpuidCannotBeChangedWhileTheGuestRuns) {
  machine().ports().on_out(0x80, [this](const Access&, GuestView&) {
    EXPECT_THROW(static_cast<void>(machine().registers()), SetupError);
    EXPECT_THROW(static_cast<void>(machine().cpuid()), SetupError);
  });
  EXPECT_THAT(run(RealModeImage{"out", {0xE6, 0x80, 0xF4}}), Halted());
  EXPECT_NO_THROW(static_cast<void>(machine().registers()));
}

TEST(AccessLogTest, TooManyWrittenBytesAreCountedAndNotKept) {
  AccessLog log;
  const auto add = [&log](std::size_t size) {
    log.add(MemoryWrite{.bytes = std::vector<std::uint8_t>(size)});
  };
  add(100);
  EXPECT_THAT(log.memory_writes(), SizeIs(1));
  add(AccessLog::kMostWritten);
  EXPECT_THAT(log.memory_writes(), SizeIs(0)) << "none is better than some";
  EXPECT_EQ(log.dropped_memory_writes(), 2U);
  add(1);
  EXPECT_THAT(log.memory_writes(), SizeIs(0));
  EXPECT_EQ(log.dropped_memory_writes(), 3U);
}

}  // namespace
