// Exceptions end the run at once and are an outcome, in every mode.
#include <hltest/hltest.h>

#include "guests/every_mode.h"
#include "guests/long_mode.h"
#include "guests/protected_mode.h"

namespace {

using namespace hltest;

const Exception& exception_of(const Outcome& outcome) { return std::get<Exception>(outcome.stop); }

template <typename Fixture>
class ExceptionsInEveryMode : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(ExceptionsInEveryMode, Fixtures);

TYPED_TEST(ExceptionsInEveryMode, DivideErrorKeepsTheRegisters) {
  const std::uint64_t stack = this->machine().registers().rsp;

  const Outcome outcome =
      this->run(guests::divide_by_zero, {.rbx = 0x5555, .rcx = 7, .rbp = 0x1234});

  ASSERT_THAT(outcome, Raised(DivideError()));
  const Exception& exception = exception_of(outcome);
  EXPECT_FALSE(exception.error_code.has_value());
  EXPECT_FALSE(exception.address.has_value());
  EXPECT_FALSE(exception.software);
  EXPECT_EQ(exception.rip, outcome.registers.rip);
  EXPECT_EQ(exception.cs, outcome.registers.cs.selector);
  EXPECT_EQ(outcome.registers.rip, TypeParam::kMode == CpuMode::kReal16 ? 0x1003U : 0x1002U);
  EXPECT_EQ(outcome.registers.rsp, stack) << "as before the exception was delivered";
  EXPECT_EQ(outcome.registers.rbx, 0x5555U);
  EXPECT_EQ(outcome.registers.rbp, 0x1234U);
  EXPECT_TRUE(outcome.registers.rflags.zf()) << "from the XOR before";
  EXPECT_FALSE(outcome.registers.rflags.rf()) << "the guest did not have it";
  EXPECT_EQ(cpu_mode(outcome.registers), TypeParam::kMode);
  EXPECT_EQ(outcome.registers.cs, this->machine().registers().cs);
  EXPECT_EQ(outcome.registers.ss, this->machine().registers().ss);
}

TYPED_TEST(ExceptionsInEveryMode, UndefinedOpcode) {
  const Outcome outcome = this->run(guests::undefined_opcode);
  EXPECT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.stop_address(), Gva{0x1000});
}

TEST_F(ProtectedModeTest, GeneralProtectionHasItsErrorCode) {
  const Outcome outcome = run(guests::bad_selector);
  EXPECT_THAT(outcome, Raised(GeneralProtection{.error_code = 0x80}));
  EXPECT_THAT(outcome, ::testing::Not(Raised(GeneralProtection{.error_code = 0x81})));
  EXPECT_EQ(outcome.stop_address(), Gva{0x1005});
  EXPECT_EQ(outcome.registers.esp(), 16 * kMiB - 16);
}

TEST_F(LongModeTest, PageFaultHasAddressAndErrorCode) {
  const Outcome outcome = run(guests::read_unmapped, {.rbx = 0x40000000});

  ASSERT_THAT(outcome, Raised(PageFault{.address = Gva{0x40000000}, .error_code = 0}));
  EXPECT_EQ(outcome.registers.cr2, Gva{0x40000000});
  EXPECT_EQ(outcome.stop_address(), Gva{0x1000});
}

TEST_F(LongModeTest, NonCanonicalAddressIsGeneralProtection) {
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x8000000000000000}),
              Raised(GeneralProtection{.error_code = 0}));
}

// The handlers have a stack of their own in long mode, so a bad one is no triple fault.
TEST_F(LongModeTest, ExceptionArrivesThoughTheStackIsBad) {
  const Outcome outcome = run(guests::undefined_opcode, {.rsp = 0x7777'0000'0000});
  EXPECT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.registers.rsp, 0x7777'0000'0000U);
}

TEST_F(RealModeTest, SoftwareInterruptIsToldFromTheException) {
  const Outcome outcome = run(RealModeImage{"int_13h", {0xCD, 0x0D}});

  EXPECT_THAT(outcome, Raised(Vector::kGeneralProtection));
  EXPECT_THAT(outcome, ::testing::Not(Raised(GeneralProtection())));
  EXPECT_TRUE(exception_of(outcome).software);
  EXPECT_EQ(outcome.registers.ip(), 0x1002) << "behind the INT";
}

// Bytes before a faulting instruction that look like an INT for its vector are not one.
TEST_F(RealModeTest, AFaultBehindBytesThatLookLikeAnIntIsAFault) {
  // mov ax, 0xCD; div bl
  EXPECT_THAT(run(RealModeImage{"mov_cd", {0xB8, 0xCD, 0x00, 0xF6, 0xF3}}), Raised(DivideError()));
  // jmp over; db 0xCD, 6; over: ud2
  EXPECT_THAT(run(RealModeImage{"db_cd", {0xEB, 0x02, 0xCD, 0x06, 0x0F, 0x0B}}),
              Raised(InvalidOpcode()));
}

TEST_F(ProtectedModeTest, AFaultBehindBytesThatLookLikeAnIntIsAFault) {
  // mov cx, 0xCD; div bx
  EXPECT_THAT(run(ProtectedModeImage{"mov_cd", {0x66, 0xB9, 0xCD, 0x00, 0x66, 0xF7, 0xF3}}),
              Raised(DivideError()));
  // jmp over; db 0xCD, 13; over: mov ds, eax with a selector that is not there
  EXPECT_THAT(run(ProtectedModeImage{"db_cd", {0xEB, 0x02, 0xCD, 0x0D, 0x8E, 0xD8}}, {.rax = 0x80}),
              Raised(GeneralProtection{.error_code = 0x80}));
}

TEST_F(LongModeTest, AFaultBehindBytesThatLookLikeAnIntIsAFault) {
  EXPECT_THAT(run(LongModeImage{"mov_cd", {0x66, 0xB9, 0xCD, 0x00, 0x66, 0xF7, 0xF3}}),
              Raised(DivideError()));
  EXPECT_THAT(run(LongModeImage{"db_cd", {0xEB, 0x02, 0xCD, 0x06, 0x0F, 0x0B}}),
              Raised(InvalidOpcode()));
}

// SP wraps within its 64 KiB while the frame is pushed. STC; UD2.
TEST_F(RealModeTest, AFrameThatWrapsAroundTheStackSegmentIsReadAsItWasPushed) {
  for (const std::uint64_t sp : {2U, 4U, 6U}) {
    const Outcome outcome = run(RealModeImage{"stc_ud2", {0xF9, 0x0F, 0x0B}}, {.rsp = sp});
    ASSERT_THAT(outcome, Raised(InvalidOpcode()));
    EXPECT_TRUE(outcome.registers.rflags.cf()) << sp;
    EXPECT_EQ(outcome.registers.sp(), sp);
  }
}

// INT3, INTO and INT1 raise the SDM's exceptions; only INT n is a software interrupt.
TEST_F(RealModeTest, Int3AndIntoRaiseTheirExceptions) {
  const Outcome int3 = run(RealModeImage{"int3", {0xCC}});
  EXPECT_THAT(int3, Raised(Breakpoint()));
  EXPECT_THAT(int3, ::testing::Not(CalledInterrupt(3)));
  EXPECT_FALSE(exception_of(int3).software);
  EXPECT_EQ(int3.stop_address(), Gva{0x1000});
  EXPECT_EQ(int3.registers.ip(), 0x1001) << "a trap: RIP is after it";
  // OF is set by 0x7F + 1.
  const Outcome into = run(RealModeImage{"into", {0xB0, 0x7F, 0x04, 0x01, 0xCE}});
  EXPECT_THAT(into, Raised(Overflow()));
  EXPECT_EQ(into.stop_address(), Gva{0x1004});
}

TEST_F(RealModeTest, IntNIsCalledAndNotRaised) {
  const Outcome int3 = run(RealModeImage{"int_3", {0xCD, 0x03}});
  EXPECT_THAT(int3, CalledInterrupt(3));
  EXPECT_THAT(int3, ::testing::Not(Raised(Breakpoint())));
  EXPECT_EQ(int3.stop_address(), Gva{0x1000});
  const Outcome dos = run(RealModeImage{"int_21h", {0xCD, 0x21}});
  EXPECT_THAT(dos, CalledInterrupt(0x21));
  EXPECT_THAT(dos, ::testing::Not(CalledInterrupt(0x20)));
  EXPECT_THAT(dos, Raised(Vector{0x21}));
  EXPECT_THAT(run(RealModeImage{"ud2", {0x0F, 0x0B}}), ::testing::Not(CalledInterrupt(6)));
}

// INT n in the other modes is beyond some software KVMs; hardware does it.
TEST_F(ProtectedModeTest, SoftwareInterruptWithAVectorThatHasAnErrorCodeElse) {
  const Outcome outcome = run(ProtectedModeImage{"int_13", {0xCD, 0x0D, 0xF4}});
  if (std::holds_alternative<HostLimit>(outcome.stop)) GTEST_SKIP() << describe(outcome.stop);

  ASSERT_THAT(outcome, Raised(Vector::kGeneralProtection));
  EXPECT_TRUE(exception_of(outcome).software);
  EXPECT_FALSE(exception_of(outcome).error_code.has_value());
  EXPECT_EQ(outcome.registers.eip(), 0x1002U);
  EXPECT_EQ(outcome.registers.esp(), 16 * kMiB - 16);
}

TEST_F(LongModeTest, SoftwareInterruptWithAVectorThatHasAnErrorCodeElse) {
  const Outcome outcome = run(LongModeImage{"int_14", {0xCD, 0x0E, 0xF4}});
  if (std::holds_alternative<HostLimit>(outcome.stop)) GTEST_SKIP() << describe(outcome.stop);

  ASSERT_THAT(outcome, Raised(Vector::kPageFault));
  EXPECT_TRUE(exception_of(outcome).software);
  EXPECT_FALSE(exception_of(outcome).error_code.has_value());
  EXPECT_EQ(outcome.registers.rip, 0x1002U);
}

TEST_F(ProtectedModeTest, HaltAtCpl3IsAHalt) {
  machine().registers().set_all_segments(Segment::flat_data(kUserDataSelector));
  machine().registers().cs = Segment::flat_code32(kUserCode32Selector);

  const Outcome outcome = run(guests::halt_at_cpl3);

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 3);
  EXPECT_EQ(mode_name(outcome.registers), "protected32_user");
  EXPECT_EQ(outcome.registers.cs.selector, kUserCode32Selector);
  EXPECT_EQ(outcome.registers.ss.selector, kUserDataSelector);
  EXPECT_EQ(outcome.registers.esp(), 16 * kMiB - 16);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{outcome.stop_address().value()}), 0xF4);
}

TEST_F(LongModeTest, HaltAtCpl3IsAHalt) {
  constexpr Gva kUserCode{0x40000000};
  machine().map({.gva = kUserCode, .gpa = Gpa{0x1000}, .flags = kReadWrite | kUser});
  machine().registers().set_all_segments(Segment::flat_data(kUserDataSelector));
  machine().registers().cs = Segment::code64(kUserCode64Selector);

  const Outcome outcome = run(LongModeImage{"halt", {0x90, 0xF4}}.entered_at(kUserCode));

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rflags.value, 2U);
  EXPECT_THAT(run(LongModeImage{"rex_hlt", {0x48, 0xF4}}.entered_at(kUserCode)), Halted());
  EXPECT_EQ(mode_name(outcome.registers), "long64_user");
  EXPECT_EQ(outcome.stop_address(), kUserCode + 1);
  EXPECT_EQ(outcome.registers.cs, machine().registers().cs);
  EXPECT_EQ(outcome.registers.ss.selector, kUserDataSelector);
}

// What stands behind an INT 6 says nothing of what this KVM can run.
TEST_F(RealModeTest, SoftwareInterrupt6BeforeAnotherIsASoftwareInterrupt) {
  const Outcome outcome = run(RealModeImage{"int6", {0xCD, 0x06, 0xCD, 0x21, 0xF4}});
  ASSERT_THAT(outcome, Raised(Vector{6}));
  EXPECT_TRUE(std::get<Exception>(outcome.stop).software);
}

// A software interrupt is where its instruction is, not behind it.
TEST_F(RealModeTest, ABiosServiceIsToldAtItsInstruction) {
  const Outcome outcome = run(RealModeImage{"calls_bios", {0xB4, 0x0E, 0xCD, 0x10, 0xF4}});
  ASSERT_THAT(outcome, Raised(Vector{0x10}));
  EXPECT_EQ(outcome.stop_address(), Gva{0x1002});
  EXPECT_EQ(outcome.registers.ip(), 0x1004);
  EXPECT_EQ(
      diagnose(outcome).cause,
      "INT 0x10 is a BIOS service, and there is no BIOS here: boot the guest (BootSectorTest, "
      "hltest run --boot), or serve it (Machine::on_interrupt)");
  EXPECT_THAT(diagnose(run(RealModeImage{"clock", {0xCD, 0x1A}})).cause,
              ::testing::HasSubstr("INT 0x1a is a BIOS service"));
  EXPECT_EQ(diagnose(run(RealModeImage{"break", {0xCD, 0x1B}})).cause,
            "the guest has no handler of its own for INT 0x1b");
  EXPECT_THAT(report(outcome), ::testing::HasSubstr(">     0x1002  cd 10 "));
}

}  // namespace
