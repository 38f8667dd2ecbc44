// The start states are a contract: every register of each, as the guest finds it.
#include <hltest/hltest.h>

#include "guests/long_mode.h"
#include "guests/real_mode.h"

namespace {

using namespace hltest;

// A guest that halts at once leaves the start state, but for RIP.
template <CpuMode kMode>
Image<kMode> halt() {
  return {"halt", {0xF4}};
}

void expect_general_registers(const Registers& registers, std::uint64_t stack) {
  GeneralRegisters expected;
  expected.rsp = stack;
  EXPECT_EQ(static_cast<const GeneralRegisters&>(registers), expected);
  EXPECT_EQ(registers.rip, 0x1001U) << "behind the HLT";
  EXPECT_EQ(registers.rflags.value, 2U);
  EXPECT_EQ(registers.cr2, Gva{0});
  EXPECT_EQ(registers.cr8, 0U);
}

void expect_data_segments(const Registers& registers, const Segment& expected) {
  EXPECT_EQ(registers.ds, expected);
  EXPECT_EQ(registers.es, expected);
  EXPECT_EQ(registers.fs, expected);
  EXPECT_EQ(registers.gs, expected);
  EXPECT_EQ(registers.ss, expected);
}

// An instruction pointer that is given by name is not the image's entry, even where it is 0.
TEST_F(RealModeTest, AnInstructionPointerOf0IsGiven) {
  for (const char* const name : {"ip", "eip", "rip"}) {
    SCOPED_TRACE(name);
    Machine machine{kMode};
    machine.memory().write<std::uint8_t>(Gpa{0}, 0xF4);
    machine.registers().set(name, 0, kMode);
    EXPECT_EQ(machine.run(halt<kMode>()).registers.rip, 1U);
  }
}

TEST_F(RealModeTest, StartState) {
  const Registers registers = run(halt<kMode>()).registers;

  expect_general_registers(registers, 0xFFF0);
  const Segment data{.selector = 0, .base = Gva{0}, .limit = 0xFFFF, .type = 3};
  expect_data_segments(registers, data);
  EXPECT_EQ(registers.cs.selector, 0);
  EXPECT_EQ(registers.cs.base, Gva{0});
  EXPECT_EQ(registers.cs.limit, 0xFFFFU);
  EXPECT_EQ(registers.idt, (DescriptorTableRegister{Gva{0}, 0x3FF}));
  EXPECT_EQ(registers.cr0.value, 0x10U);
  EXPECT_EQ(registers.cr3.value, 0U);
  EXPECT_EQ(registers.cr4.value, 0U);
  EXPECT_EQ(registers.efer.value, 0U);
}

TEST_F(RealModeTest, StackWorks) {
  const Outcome outcome = run(guests::stack_and_data);

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 0xBEEF);
  EXPECT_EQ(outcome.registers.sp(), 0xFFF0);
  const auto& image = guests::stack_and_data;
  EXPECT_EQ(memory().read<std::uint16_t>(image.load_address() + (image.bytes().size() - 2)),
            0xBEEF);
}

TEST_F(RealModeTest, StackOfASmallMemoryEndsWithIt) {
  machine().set_memory_size(8 * kKiB);
  EXPECT_EQ(run(halt<kMode>()).registers.sp(), 0x1FF0);
}

TEST_F(RealModeTest, EntryAbove64KiBIsReachedByCs) {
  const Outcome outcome = run(halt<kMode>().loaded_at(Gpa{0x12345}));

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cs.selector, 0x1234);
  EXPECT_EQ(outcome.registers.cs.base, Gva{0x12340});
  EXPECT_EQ(outcome.registers.ip(), 6);
  EXPECT_EQ(outcome.registers.ds.selector, 0);
}

Segment flat(std::uint16_t selector, std::uint8_t type) {
  return {.selector = selector,
          .base = Gva{0},
          .limit = 0xFFFF'FFFF,
          .type = type,
          .dpl = 0,
          .s = true,
          .present = true,
          .avl = false,
          .l = false,
          .db = true,
          .granularity = true,
          .unusable = false};
}

void expect_system_tables(const Registers& registers, std::uint16_t idt_limit) {
  EXPECT_EQ(registers.gdt, (DescriptorTableRegister{Gva{0xF0002000}, 0x6F}));
  EXPECT_EQ(registers.idt, (DescriptorTableRegister{Gva{0xF0001000}, idt_limit}));
  EXPECT_EQ(registers.tr.selector, kTssSelector);
  EXPECT_EQ(registers.tr.base, Gva{0xF0003000});
  EXPECT_EQ(registers.tr.limit, 103U);
  EXPECT_EQ(registers.tr.type, Segment::kBusyTss);
  EXPECT_TRUE(registers.ldt.unusable);
}

TEST_F(ProtectedModeTest, StartState) {
  const Registers registers = run(halt<kMode>()).registers;

  expect_general_registers(registers, 16 * kMiB - 16);
  EXPECT_EQ(registers.cs, flat(0x08, 0xB));
  expect_data_segments(registers, flat(0x10, 0x3));
  expect_system_tables(registers, 0x7FF);
  EXPECT_EQ(registers.cr0.value, 0x31U);
  EXPECT_EQ(registers.cr3.value, 0U);
  EXPECT_EQ(registers.cr4.value, 0U);
  EXPECT_EQ(registers.efer.value, 0U);
}

TEST_F(LongModeTest, StartState) {
  const Registers registers = run(halt<kMode>()).registers;

  expect_general_registers(registers, 16 * kMiB - 16);
  Segment code = flat(0x18, 0xB);
  code.l = true;
  code.db = false;
  EXPECT_EQ(registers.cs, code);
  expect_data_segments(registers, flat(0x10, 0x3));
  expect_system_tables(registers, 0xFFF);
  EXPECT_EQ(registers.cr0.value, 0x80010033U);
  EXPECT_EQ(registers.cr3.value, 0xF0006000U);
  EXPECT_EQ(registers.cr4.value, 0x620U);
  EXPECT_EQ(registers.efer.value, 0xD00U);
  EXPECT_EQ(registers.cpl(), 0U);
}

TEST_F(LongModeTest, SseIsEnabled) {
  memory().write<std::array<std::uint32_t, 4>>(Gpa{0x2000}, {1, 2, 3, 4});
  memory().write<std::array<std::uint32_t, 4>>(Gpa{0x2010}, {10, 20, 30, 40});

  const Outcome outcome = run(guests::sse, {.rsi = 0x2000, .rdi = 0x2010});

  if (std::holds_alternative<HostLimit>(outcome.stop)) GTEST_SKIP() << describe(outcome.stop);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ((memory().read<std::array<std::uint32_t, 4>>(Gpa{0x2010})),
            (std::array<std::uint32_t, 4>{11, 22, 33, 44}));
}

// Everything can be changed before the run.
TEST_F(RealModeTest, RegistersThatTheTestSetsAreTheGuests) {
  RegisterSettings& registers = machine().registers();
  registers.rbp = 0x1111;
  registers.ds = Segment::real_mode(0x0200);
  registers.rsp = 0x8000;
  const Outcome outcome = run(halt<kMode>(), {.rcx = 0x2222, .rsi = 0x3333, .rflags = 0x0402});

  EXPECT_EQ(outcome.registers.bp(), 0x1111);
  EXPECT_EQ(outcome.registers.cx(), 0x2222);
  EXPECT_EQ(outcome.registers.si(), 0x3333);
  EXPECT_EQ(outcome.registers.sp(), 0x8000);
  EXPECT_EQ(outcome.registers.ds.base, Gva{0x2000});
  EXPECT_TRUE(outcome.registers.rflags.df());
}

TEST_F(LongModeTest, ControlRegistersThatTheTestSetsAreTheGuests) {
  machine().registers().cr4->value |= Cr4::kPge;
  machine().registers().cr0->value &= ~Cr0::kWp;
  machine().registers().cr8 = 5;
  const Outcome outcome = run(guests::special_registers, {.rbx = 1});

  EXPECT_EQ(outcome.registers.r10, 0x6A0U);
  EXPECT_EQ(outcome.registers.r8, 0x80000033U);
  EXPECT_EQ(outcome.registers.cr8, 5U);
}

TEST_F(LongModeTest, RegistersGivenToRunArriveAll) {
  const Outcome outcome = run(halt<kMode>(), {.rax = 1,
                                              .rbx = 2,
                                              .rcx = 3,
                                              .rdx = 4,
                                              .rsi = 5,
                                              .rdi = 6,
                                              .rsp = 0x7000,
                                              .rbp = 8,
                                              .r8 = 9,
                                              .r9 = 10,
                                              .r10 = 11,
                                              .r11 = 12,
                                              .r12 = 13,
                                              .r13 = 14,
                                              .r14 = 15,
                                              .r15 = ~0ULL,
                                              .rip = 0x1000,
                                              .rflags = 0x3});
  GeneralRegisters expected{.rax = 1,
                            .rbx = 2,
                            .rcx = 3,
                            .rdx = 4,
                            .rsi = 5,
                            .rdi = 6,
                            .rsp = 0x7000,
                            .rbp = 8,
                            .r8 = 9,
                            .r9 = 10,
                            .r10 = 11,
                            .r11 = 12,
                            .r12 = 13,
                            .r13 = 14,
                            .r14 = 15,
                            .r15 = ~0ULL};
  EXPECT_EQ(static_cast<const GeneralRegisters&>(outcome.registers), expected);
  EXPECT_TRUE(outcome.registers.rflags.cf());
}

TEST_F(RealModeTest, LoadAddressAndEntryCanBeChosen) {
  RealModeImage image{"two_halts", {0xF4, 0xB8, 0x34, 0x12, 0xF4}};
  const Outcome outcome = run(image.loaded_at(Gpa{0x7C00}).entered_at(Gva{0x7C01}));

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 0x1234);
  EXPECT_EQ(outcome.stop_address(), Gva{0x7C04});
}

// A program's own IVT entry is used, since the IVT is in RAM.
TEST_F(RealModeTest, GuestMayInstallItsOwnHandler) {
  const Outcome outcome = run(guests::own_handler);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 0xD1DE);
}

TEST_F(RealModeTest, AnImageOverTheIvtKeepsItsExceptions) {
  const Outcome outcome = run(RealModeImage{"ud", {0x0F, 0x0B}, Gpa{0}});
  EXPECT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.stop_address(), Gva{0});
}

}  // namespace
