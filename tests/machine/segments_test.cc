// GDT, LDT and IDT that a test puts together, unreal mode, and what the guest makes of them.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "../message_of.h"
#include "guests/every_mode.h"
#include "guests/long_mode.h"
#include "guests/protected_mode.h"
#include "guests/protection.h"
#include "guests/real_mode.h"
#include "guests/switches.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr const char* kNoChecks = "this host's processor is emulated without checks of segments";

TEST_F(ProtectedModeTest, ADataSegmentWithBaseAndLimit) {
  machine().set_descriptor(0x80, Data32{.base = Gva{0x20000}, .limit = 0xFFF});
  memory().write<std::uint32_t>(Gpa{0x20FFC}, 0xCAFE);

  const Outcome outcome = run(guests::load_and_read, {.rax = 0x80, .rbx = 0xFFC});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.edx(), 0xCAFEU);
  EXPECT_EQ(outcome.registers.fs.base, Gva{0x20000});
  if (!HostCan(Ability::kSegmentLimitChecks)) GTEST_SKIP() << kNoChecks;
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x80, .rbx = 0xFFD}),
              Raised(GeneralProtection{.error_code = 0}))
      << "one byte of it is beyond the limit";
}

TEST_F(ProtectedModeTest, AnExpandDownSegmentIsWhatIsAboveItsLimit) {
  machine().set_descriptor(0x80, Data32{.limit = 0x1FFF, .expand_down = true});
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x80, .rbx = 0x2000}), Halted());
  if (!HostCan(Ability::kSegmentLimitChecks)) GTEST_SKIP() << kNoChecks;
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x80, .rbx = 0x1FFF}),
              Raised(GeneralProtection{.error_code = 0}));
}

TEST_F(ProtectedModeTest, ASegmentThatIsNotWritable) {
  machine().set_descriptor(0x80, Data32{.writable = false});
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x80, .rbx = 0x2000}), Halted());
  if (!HostCan(Ability::kSegmentLimitChecks)) GTEST_SKIP() << kNoChecks;
  EXPECT_THAT(run(guests::load_and_write, {.rax = 0x80, .rbx = 0x2000}),
              Raised(GeneralProtection{.error_code = 0}));
}

TEST_F(ProtectedModeTest, ASegmentThatIsNotPresent) {
  machine().set_descriptor(0x80, Data32{.present = false});
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x80}),
              Raised(SegmentNotPresent{.error_code = 0x80}));
}

TEST_F(ProtectedModeTest, AnLdt) {
  machine().set_descriptor(0x0C, Data32{.base = Gva{0x20000}, .limit = 0xFF});
  memory().write<std::uint32_t>(Gpa{0x20000}, 0xBEEF);

  const Outcome outcome = run(guests::load_and_read, {.rax = 0x0C});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.edx(), 0xBEEFU);
  EXPECT_EQ(outcome.registers.ldt.selector, kLdtSelector);
  EXPECT_THAT(tables(), GdtEntry(0x0C, Data32{.base = Gva{0x20000}, .limit = 0xFF}));
  EXPECT_THAT(tables(), GdtEntry(kLdtSelector, Ldt{.base = outcome.registers.ldt.base,
                                                   .limit = outcome.registers.ldt.limit}));
  EXPECT_THAT(run(guests::load_and_read, {.rax = 0x14}),
              Raised(GeneralProtection{.error_code = 0x14}))
      << "beyond the LDT's limit";
}

TEST_F(LongModeTest, AnLdtInIa32eMode) {
  machine().set_descriptor(0x04, Data32{});
  // mov fs, ax; hlt
  const Outcome outcome = run(LongModeImage{"load_fs", {0x8E, 0xE0, 0xF4}}, {.rax = 0x04});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.fs.selector, 0x04);
}

TEST_F(ProtectedModeTest, AConformingSegmentKeepsTheCallersPrivilege) {
  machine().set_cpl(3);
  machine().set_descriptor(0x80, Code32{.conforming = true});
  memory().write_bytes(Gpa{0x5000}, std::vector<std::uint8_t>{0, 0x60, 0, 0, 0x80, 0});
  memory().write<std::uint8_t>(Gpa{0x6000}, 0xF4);

  const Outcome outcome = run(guests::call_far);
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rip, 0x6001U);
  EXPECT_EQ(outcome.registers.cs.selector, 0x83);
  EXPECT_EQ(outcome.registers.cpl(), 3U);
}

TEST_F(ProtectedModeTest, ACallGateLeadsInwardsWithItsParameters) {
  machine().set_cpl(3);
  machine().set_descriptor(
      0x80, CallGate32{.selector = kCode32Selector, .offset = 0x6000, .parameters = 1, .dpl = 3});
  memory().write_bytes(Gpa{0x5000}, std::vector<std::uint8_t>{0, 0, 0, 0, 0x83, 0});
  // mov eax, [esp + 8]; mov bx, cs; hlt
  memory().write_bytes(Gpa{0x6000},
                       std::vector<std::uint8_t>{0x8B, 0x44, 0x24, 8, 0x66, 0x8C, 0xCB, 0xF4});

  if (const HostCan can{Ability::kCallGates}; !can) GTEST_SKIP() << can.reason;
  const Outcome outcome = run(guests::call_far);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cpl(), 0U);
  EXPECT_EQ(outcome.registers.bx(), kCode32Selector);
  EXPECT_EQ(outcome.registers.eax(), 0x1111U) << "copied to the inner stack";
}

TEST_F(ProtectedModeTest, ASegmentRegisterCanStartWithAnEntry) {
  machine().set_descriptor(0x80, Data32{.base = Gva{0x20000}});
  machine().registers().gs = machine().segment(0x80);
  // mov eax, [gs:0]; hlt
  memory().write<std::uint32_t>(Gpa{0x20000}, 77);
  const Outcome outcome = run(ProtectedModeImage{"gs", {0x65, 0xA1, 0, 0, 0, 0, 0xF4}});
  EXPECT_EQ(outcome.registers.eax(), 77U);
  EXPECT_EQ(message_of<DescriptorError>([this] { (void)machine().segment(0x88); }),
            "selector 0x88: the start state's GDT has no present segment there");
}

// TR and LDTR can start with a TSS and an LDT of the test's.
TEST_F(LongModeTest, SystemRegistersCanStartWithAnEntry) {
  constexpr Gva kTss{0xFFFF'8000'0000'5000};
  machine().set_descriptor(0x80, Tss64{.base = kTss});
  machine().set_descriptor(0x90, Ldt{.base = Gva{0x1'0000'6000}, .limit = 0x17});
  const Segment tss = machine().segment(0x80);
  EXPECT_EQ(tss, Segment::task_state(0x80, kTss, Tss64{}.limit)) << "busy, with all of its base";
  const Segment ldt = machine().segment(0x90);
  EXPECT_EQ(ldt.base, Gva{0x1'0000'6000});
  EXPECT_EQ(ldt.limit, 0x17U);

  machine().registers().tr = tss;
  machine().registers().ldt = ldt;
  // str ax; sldt bx; hlt
  const Outcome outcome =
      run(LongModeImage{"str", {0x66, 0x0F, 0x00, 0xC8, 0x66, 0x0F, 0x00, 0xC3, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 0x80);
  EXPECT_EQ(outcome.registers.bx(), 0x90);
  EXPECT_EQ(outcome.registers.tr, tss);
  EXPECT_EQ(outcome.registers.ldt.base, ldt.base);

  machine().set_descriptor(0xA0, CallGate64{.selector = kCode64Selector});
  EXPECT_EQ(message_of<DescriptorError>([this] { (void)machine().segment(0xA0); }),
            "selector 0xa0: the start state's GDT has no present segment there");
}

TEST_F(ProtectedModeTest, TheFrameworksLdtCanBeLoadedAgain) {
  machine().set_descriptor(4, Code32{.base = Gva{0x1000}});
  EXPECT_EQ(machine().segment(kLdtSelector).base, Gva{(kSystemRegion + kLdtOffset).value()});
  EXPECT_EQ(machine().segment(kTssSelector), machine().registers().tr.value()) << "what TR has";
}

// A handler of the guest's under test, with the framework's for all other vectors.
TEST_F(ProtectedModeTest, AGateLeadsToTheGuestsHandler) {
  machine().set_gate(Vector::kInvalidOpcode,
                     InterruptGate32{.selector = kCode32Selector, .offset = 0x6000});
  memory().write_bytes(Gpa{0x6000}, std::vector<std::uint8_t>{0xB8, 0x34, 0x12, 0, 0, 0xF4});

  const Outcome outcome = run(guests::undefined_opcode);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.eax(), 0x1234U);
  EXPECT_THAT(tables(), IdtGate(Vector::kInvalidOpcode,
                                InterruptGate32{.selector = kCode32Selector, .offset = 0x6000}));
  EXPECT_THAT(run(guests::divide_by_zero), Raised(DivideError()));
}

TEST_F(RealModeTest, AnIvtEntryLeadsToTheGuestsHandler) {
  machine().set_gate(Vector{0x21}, IvtEntry{.cs = 0x0600, .ip = 0x10});
  memory().write_bytes(Gpa{0x6010}, std::vector<std::uint8_t>{0xB8, 0x34, 0x12, 0xF4});
  const Outcome outcome = run(RealModeImage{"int21", {0xCD, 0x21, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 0x1234);
  EXPECT_THAT(tables(), IdtGate(Vector{0x21}, IvtEntry{.cs = 0x0600, .ip = 0x10}));
}

TEST_F(RealModeTest, UnrealMode) {
  const Outcome outcome = run(guests::real_to_unreal, {.rax = 0x11223344, .rbx = 0x200000});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(mode_name(outcome.registers), "real16");
  EXPECT_EQ(outcome.registers.ds.base, Gva{0});
  EXPECT_EQ(outcome.registers.ds.limit, 0xFFFF'FFFFU);
  EXPECT_EQ(memory().read<std::uint32_t>(Gpa{0x200000}), 0x11223344U);
}

TEST_F(RealModeTest, AStartInUnrealMode) {
  // mov eax, [dword 0x200000]; hlt
  const RealModeImage read_high{"read_high", {0x67, 0x66, 0xA1, 0, 0, 0x20, 0, 0xF4}};
  memory().write<std::uint32_t>(Gpa{0x200000}, 0x55667788);
  machine().registers().ds = Segment::unreal_mode(0);
  const Outcome outcome = run(read_high);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.eax(), 0x55667788U);
  if (!HostCan(Ability::kSegmentLimitChecks)) GTEST_SKIP() << kNoChecks;
  machine().registers().ds = Segment::real_mode(0);
  EXPECT_THAT(run(read_high), Raised(Vector::kGeneralProtection)) << "in real mode";
}

// A gate of the test's has no IST: where the frame is says nothing of an error code then.
TEST_F(LongModeTest, AnExceptionThroughAGateWithoutIst) {
  const auto handler = [](Vector vector) {
    return InterruptGate64{.selector = kCode64Selector,
                           .offset = kSystemRegion.value() + static_cast<unsigned>(vector)};
  };
  machine().set_gate(Vector::kDivideError, handler(Vector::kDivideError));
  machine().set_gate(Vector::kPageFault, handler(Vector::kPageFault));
  const Outcome outcome = run(guests::divide_by_zero);
  EXPECT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(std::get<Exception>(outcome.stop).error_code, std::nullopt);
  EXPECT_EQ(mode_name(outcome.registers), "long64");
  EXPECT_EQ(outcome.registers.rsp, 16 * kMiB - 16);
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x40000000}),
              Raised(PageFault{.address = Gva{0x40000000}, .error_code = 0}));
}

TEST_F(ProtectedModeTest, DescriptorsLeaveTheTestsOwnTableRegistersAlone) {
  machine().registers().gdt = {Gva{0x5000}, 0x17};
  machine().registers().ldt = {
      .selector = 0x10, .base = Gva{0x6000}, .type = Segment::kLdt, .s = false};
  const Segment ldt = machine().registers().ldt;
  machine().set_descriptor(0x90, Data32{});
  EXPECT_EQ(machine().registers().gdt, (DescriptorTableRegister{Gva{0x5000}, 0x17}));
  EXPECT_EQ(machine().registers().ldt, ldt);
}

// A HLT where the test has put something else is the guest's own.
TEST_F(LongModeTest, AHltThatIsNoHandlerIsAHalt) {
  machine().remap({.gva = Gva{kSystemRegion.value()}, .gpa = Gpa{0x8000}});
  memory().write<std::uint8_t>(Gpa{0x8000}, 0xF4);
  // mov eax, 0xF0000000; jmp rax
  EXPECT_THAT(run(LongModeImage{"jump", {0xB8, 0, 0, 0, 0xF0, 0xFF, 0xE0}}), Halted());
}

TEST(StartDescriptorsTest, RefusesWhatItHasNoPlaceFor) {
  Machine machine{CpuMode::kProtected32};
  EXPECT_EQ(message_of<DescriptorError>([&] { machine.set_descriptor(0, Data32{}); }),
            "the 32-bit data segment at 0x0: this is the null selector");
  EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_descriptor(0x1000, Data32{}); }),
              HasSubstr("have room up to 0xfff"));
  EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_descriptor(0x70, Data32{}); }),
              HasSubstr("free are 0x80 and up"));
  EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_descriptor(0x80, Tss64{}); }),
              HasSubstr("a 64-bit TSS does not exist outside IA-32e mode"));
  EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_gate(Vector{3}, Code32{}); }),
              HasSubstr("the 32-bit code segment for vector 0x3: a guest that starts in "
                        "protected32 has gates in its IDT"));
  EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_descriptor(0x80, TrapGate32{}); }),
              HasSubstr("the 32-bit trap gate at 0x80: it belongs in the IDT, use set_gate()"));
  Machine long_mode{CpuMode::kLong64};
  EXPECT_THAT(message_of<DescriptorError>([&] { long_mode.set_descriptor(0xFFC, CallGate64{}); }),
              HasSubstr("have room up to 0xfff"))
      << "its second half has none";
  Machine real{CpuMode::kReal16};
  EXPECT_THROW((void)real.segment(8), DescriptorError);
  EXPECT_THAT(message_of<DescriptorError>([&] { real.set_descriptor(8, Code32{}); }),
              HasSubstr("a guest that starts in real mode has no GDT yet"));
  EXPECT_THAT(message_of<DescriptorError>([&] { real.set_gate(Vector{3}, InterruptGate32{}); }),
              HasSubstr("give an IvtEntry"));
}

}  // namespace
