// Starts at CPL 3, in compatibility and in 16-bit protected mode: what the guest finds there, and
// how HLT, faults, INT n and SYSCALL end its run.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "../message_of.h"
#include "guests/every_mode.h"
#include "guests/long_mode.h"
#include "guests/protected_mode.h"
#include "guests/protection.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

struct Expected {
  std::uint16_t cs;
  std::uint16_t data;
  const char* mode;
};

template <typename Fixture>
Expected expected_at_cpl_3();
template <>
Expected expected_at_cpl_3<LongModeTest>() {
  return {0x3B, 0x33, "long64_user"};
}
template <>
Expected expected_at_cpl_3<ProtectedModeTest>() {
  return {0x2B, 0x33, "protected32_user"};
}
template <>
Expected expected_at_cpl_3<CompatibilityModeTest>() {
  return {0x2B, 0x33, "compatibility32_user"};
}
template <>
Expected expected_at_cpl_3<ProtectedMode16Test>() {
  return {0x63, 0x6B, "protected16_user"};
}

template <typename Fixture>
class AtCpl3 : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    this->machine().set_cpl(3);
  }
  static auto image(const auto& images) { return images.template in<image_mode(Fixture::kMode)>(); }
};
using Fixtures =
    ::testing::Types<LongModeTest, ProtectedModeTest, CompatibilityModeTest, ProtectedMode16Test>;

class FixtureName {
 public:
  template <typename Fixture>
  static std::string GetName(int /*index*/) {
    return to_string(Fixture::kMode);
  }
};
TYPED_TEST_SUITE(AtCpl3, Fixtures, FixtureName);

TYPED_TEST(AtCpl3, HltEndsTheRunAsHalted) {
  const Expected expected = expected_at_cpl_3<TypeParam>();
  const Outcome outcome = this->run(this->image(guests::read_selectors));

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(mode_name(outcome.start), expected.mode);
  EXPECT_EQ(mode_name(outcome.registers), expected.mode);
  EXPECT_EQ(outcome.registers.cpl(), 3U);
  EXPECT_EQ(outcome.registers.cs.selector, expected.cs);
  EXPECT_EQ(outcome.registers.ss.selector, expected.data);
  if (outcome.registers.ax() != outcome.registers.cs.selector) {
    GTEST_SKIP() << "this host's KVM runs 64-bit code at CPL 3 with selectors of its own";
  }
  EXPECT_EQ(outcome.registers.ax(), expected.cs);
  EXPECT_EQ(outcome.registers.bx(), expected.data);
  EXPECT_EQ(outcome.registers.cx(), expected.data);
  EXPECT_EQ(outcome.registers.dx(), expected.cs) << "through the stack";
}

TYPED_TEST(AtCpl3, FaultsGoToTheFrameworksHandlers) {
  const Outcome outcome = this->run(this->image(guests::divide_by_zero));
  EXPECT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.registers.cs.selector, expected_at_cpl_3<TypeParam>().cs);
  EXPECT_EQ(outcome.registers.cpl(), 3U);
}

TYPED_TEST(AtCpl3, PrivilegedInstructionsRaiseGeneralProtection) {
  EXPECT_THAT(this->run(this->image(guests::privileged)),
              Raised(GeneralProtection{.error_code = 0}));
}

TYPED_TEST(AtCpl3, PortsTakeIopl3) {
  EXPECT_THAT(this->run(this->image(guests::out_port), {.rax = 'x'}),
              Raised(GeneralProtection{.error_code = 0}));
  if (const HostCan can{Ability::kPrivilegeOf64BitCpl3};
      TypeParam::kMode == CpuMode::kLong64 && !can) {
    GTEST_SKIP() << can.reason;
  }
  const Outcome outcome =
      this->run(this->image(guests::out_port), {.rax = 'x', .rflags = 3U << 12U | Rflags::kFixed});
  EXPECT_THAT(outcome, Halted());
  EXPECT_THAT(outcome, Wrote(kCom1, "x"));
}

TYPED_TEST(AtCpl3, SoftwareInterruptsAreTold) {
  const Outcome outcome = this->run(this->image(guests::int_0x80), {.rax = 1});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(Vector{0x80}));
  EXPECT_EQ(outcome.registers.rip, 0x1002U) << "behind the INT";
  EXPECT_EQ(outcome.registers.cpl(), 3U);
  EXPECT_TRUE(std::get<Exception>(outcome.stop).software);
}

// SYSCALL exists in 64-bit mode everywhere; elsewhere only AMD's processors have it.
TYPED_TEST(AtCpl3, SyscallEndsTheRunAsASystemCall) {
  if (!runs_syscall(TypeParam::kMode)) {
    GTEST_SKIP() << "this host can't run SYSCALL in " << to_string(TypeParam::kMode);
  }
  const Outcome outcome = this->run(this->image(guests::syscall), {.rax = 60, .rdx = 0x1234});

  EXPECT_THAT(outcome, MadeSystemCall());
  EXPECT_THAT(outcome, Not(Halted()));
  EXPECT_EQ(outcome.registers.eax(), 60U);
  EXPECT_EQ(outcome.registers.dx(), 0x1234);
  EXPECT_EQ(outcome.registers.rip, 0x1002U) << "after the SYSCALL";
  EXPECT_EQ(outcome.registers.cr2, outcome.start.cr2) << "no page fault is the guest's";
  EXPECT_EQ(outcome.stop_address(), Gva{0x1000});
  EXPECT_EQ(mode_name(outcome.registers), expected_at_cpl_3<TypeParam>().mode);
  EXPECT_FALSE(outcome.stopped_outside_image());
  EXPECT_THAT(report(outcome), HasSubstr("ended: system call (SYSCALL)"));
}

TEST_F(ProtectedModeTest, SysenterEndsTheRunAsASystemCall) {
  machine().set_cpl(3);
  const Outcome outcome = run(ProtectedModeImage{"sysenter", {0x0F, 0x34, 0xF4}}, {.rax = 7});
  EXPECT_THAT(outcome, MadeSystemCall());
  EXPECT_EQ(outcome.registers.eax(), 7U);
  EXPECT_THAT(report(outcome), HasSubstr("which saves no return address"));
}

TEST_F(LongModeTest, Cpl3MayAccessRamButNotTheSystemRegion) {
  machine().set_cpl(3);
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 16 * kMiB - 8}), Halted());
  EXPECT_THAT(tables(), Maps(Gva{0}, Gpa{0}, kReadWrite | kUser));
  constexpr std::uint64_t kSystem = kSystemRegion.value();
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = kSystem}),
              Raised(PageFault{.address = Gva{kSystem}, .error_code = 5}));
}

TEST_F(LongModeTest, BackToCpl0) {
  const RegisterSettings standard = machine().registers();
  machine().set_cpl(3);
  machine().set_cpl(0);
  EXPECT_EQ(machine().registers(), standard);
  EXPECT_THAT(run(guests::privileged), Halted());
}

TEST_F(LongModeTest, OnlyCpl0And3AreStarts) {
  EXPECT_THAT(message_of<SetupError>([this] { machine().set_cpl(1); }),
              HasSubstr("a start at CPL 1 in long64"));
  Machine real{CpuMode::kReal16};
  EXPECT_THROW(real.set_cpl(3), SetupError);
}

TEST_F(CompatibilityModeTest, Runs32BitCodeUnderA64BitSystem) {
  const Outcome outcome = run(guests::add, {.rax = 2, .rbx = 3});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 5);
  EXPECT_EQ(mode_name(outcome.registers), "compatibility32");
  EXPECT_EQ(outcome.registers.cs.selector, kCode32Selector);
  EXPECT_TRUE(outcome.registers.efer.lma());
  EXPECT_THAT(run(guests::divide_by_zero), Raised(DivideError()));
  EXPECT_THAT(run(guests::bad_selector), Raised(GeneralProtection{.error_code = 0x80}));
}

TEST_F(CompatibilityModeTest, HasTheMapOfLongMode) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x5000}});
  const Outcome outcome =
      run(guests::store_then_load, {.rax = 0xABCD, .rbx = 0x40000008, .rcx = 0x5008});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.edx(), 0xABCDU);
}

using CompatibilityMode16Test = ModeTest<CpuMode::kCompatibility16>;
TEST_F(CompatibilityMode16Test, Runs16BitCodeUnderA64BitSystem) {
  const Outcome outcome = run(guests::add, {.rax = 2, .rbx = 3});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 5);
  EXPECT_EQ(mode_name(outcome.registers), "compatibility16");
}

TEST_F(ProtectedMode16Test, StartState) {
  const Outcome outcome = run(guests::read_selectors);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(mode_name(outcome.registers), "protected16");
  EXPECT_EQ(outcome.registers.ax(), kCode16Selector);
  EXPECT_EQ(outcome.registers.bx(), kData16Selector);
  EXPECT_EQ(outcome.registers.ss.limit, 0xFFFFU);
  EXPECT_FALSE(outcome.registers.ss.db);
  EXPECT_EQ(outcome.registers.sp(), 0xFFF0);
  EXPECT_THAT(run(guests::divide_by_zero), Raised(DivideError()));
}

TEST_F(ProtectedMode16Test, ItsSegmentsEndAt64KiB) {
  if (!HostCan(Ability::kSegmentLimitChecks))
    GTEST_SKIP() << "this processor is emulated without checks of segments";
  // mov ax, [0xFFFF]: the word reaches over the limit.
  EXPECT_THAT(run(RealModeImage{"over_the_limit", {0xA1, 0xFF, 0xFF, 0xF4}}),
              Raised(GeneralProtection{.error_code = 0}));
}

// The framework's gates for exceptions with an error code have DPL 0: INT n pushes none.
TEST_F(ProtectedModeTest, AtCpl3AnIntWithTheVectorOfAnErrorCodeIsAGp) {
  machine().set_cpl(3);
  const Outcome outcome = run(ProtectedModeImage{"int", {0xCD, 0x0D, 0xF4}});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(GeneralProtection{.error_code = 0x0D * 8 + 2}));
}

}  // namespace
