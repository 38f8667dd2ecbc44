// MSRs set before and read after a run or served by the test, and CPUID as the test wants it.
#include <hltest/hltest.h>

#include "../message_of.h"
#include "guests/long_mode.h"

namespace {

using namespace hltest;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(LongModeTest, AnMsrThatTheTestSetsIsTheGuests) {
  machine().set_msr(Msr::kIa32KernelGsBase, 0xFFFF'8000'1234'5678);
  const Outcome outcome =
      run(guests::read_msr, {.rcx = static_cast<std::uint32_t>(Msr::kIa32KernelGsBase)});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0xFFFF'8000'1234'5678U);
}

TEST_F(LongModeTest, AnMsrThatTheGuestSetsCanBeAsserted) {
  const Outcome outcome =
      run(guests::write_msr,
          {.rax = 0xFFFF'FFFF'8100'0000, .rcx = static_cast<std::uint32_t>(Msr::kIa32Lstar)});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(machine().msr(Msr::kIa32Lstar), 0xFFFF'FFFF'8100'0000U);
}

TEST_F(LongModeTest, AnMsrThatNobodyKnowsRaisesGeneralProtection) {
  EXPECT_THAT(run(guests::read_msr, {.rcx = 0x1234}), Raised(GeneralProtection{.error_code = 0}));
}

TEST_F(LongModeTest, MsrsCanBeServedByTheTest) {
  std::uint64_t written = 0;
  machine().msrs().on_read(Msr{0x1234}, 0x1122'3344'5566'7788);
  machine().msrs().on_read(Msr{0x1235},
                           [](const Access& access) { return std::uint64_t(access.msr()) + 1; });
  machine().msrs().on_write(Msr{0x1234},
                            [&written](const Access& access) { written = access.value; });

  EXPECT_EQ(run(guests::read_msr, {.rcx = 0x1234}).registers.rax, 0x1122'3344'5566'7788U);
  EXPECT_EQ(run(guests::read_msr, {.rcx = 0x1235}).registers.rax, 0x1236U);
  EXPECT_THAT(run(guests::write_msr, {.rax = 0xAABB'CCDD'EEFF, .rcx = 0x1234}), Halted());
  EXPECT_EQ(written, 0xAABB'CCDD'EEFFU);

  const Outcome outcome = run(guests::write_msr, {.rax = 5, .rcx = 0x1235});
  EXPECT_THAT(outcome, Raised(GeneralProtection{.error_code = 0})) << "nobody takes a write";
  EXPECT_THAT(outcome.msrs, ElementsAre(Access{.space = Space::kMsr,
                                               .direction = Direction::kWrite,
                                               .size = 8,
                                               .answered = false,
                                               .address = 0x1235,
                                               .value = 5}));
  EXPECT_THAT(report(outcome), HasSubstr("wrmsr 0x1235: 0x5 (#GP)"));
}

// One that KVM has itself is the test's too, if it wants it.
TEST_F(LongModeTest, AnMsrOfKvmsCanBeServed) {
  machine().msrs().on_read(Msr::kIa32Pat, 0x42);
  const Outcome outcome = run(guests::read_msr, {.rcx = static_cast<std::uint32_t>(Msr::kIa32Pat)});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0x42U);
  EXPECT_EQ(outcome.msrs.size(), 1U);
}

TEST_F(LongModeTest, WhatAnMsrHandlerThrowsComesOutOfTheRun) {
  machine().msrs().on_read(Msr{0x1234}, [](const Access&) -> std::uint64_t {
    throw std::runtime_error("no such sensor");
  });
  EXPECT_EQ(message_of<std::runtime_error>([&] { (void)run(guests::read_msr, {.rcx = 0x1234}); }),
            "no such sensor");
}

TEST_F(LongModeTest, MsrsThatCantBe) {
  EXPECT_THAT(message_of<SetupError>([this] { machine().set_msr(Msr::kIa32Efer, 0); }),
              HasSubstr("set registers().efer"));
  EXPECT_THAT(message_of<SetupError>([this] { (void)machine().msr(Msr::kIa32Lstar); }),
              HasSubstr("IA32_LSTAR can be read after a run"));
  machine().set_msr(Msr{0x1234}, 5);
  EXPECT_EQ(message_of<SetupError>([this] { (void)run(guests::needs_sse2); }),
            "MSR 0x1234 = 0x5: this KVM does not know the MSR, or refuses the value");
  EXPECT_THROW(machine().msrs().on_read(Msr{1}, Reader{}), SetupError);
  EXPECT_THROW((void)machine().msr(Msr::kIa32Pat), SetupError) << "the run did not come to an end";
  EXPECT_THAT(message_of<SetupError>([this] { machine().msrs().on_read(Msr{0x802}, 1); }),
              HasSubstr("KVM leaves the x2APIC's MSRs (0x800 to 0x8ff) to nobody"));
  for (std::uint32_t i = 0; i < 16; ++i) machine().msrs().on_read(Msr{0x2000 + i}, i);
  EXPECT_THAT(message_of<SetupError>([this] { machine().msrs().on_read(Msr{1}, 0); }),
              HasSubstr("no room for a device at MSR 0x1: a VM has room for 16 ranges of MSRs"));
}

TEST_F(LongModeTest, AFailedRunHasNoMsrsEvenAfterAnotherRun) {
  EXPECT_THAT(run(guests::needs_sse2), Halted());
  EXPECT_NO_THROW((void)machine().msr(Msr::kIa32Pat));
  machine().set_msr(Msr{0x1234}, 5);
  EXPECT_THROW((void)run(guests::needs_sse2), SetupError);
  EXPECT_THROW((void)machine().msr(Msr::kIa32Pat), SetupError);
}

TEST_F(LongModeTest, ALeafThatTheHostHasNot) {
  machine().cpuid().replace({0x4000'0000}, {.eax = 1, .ebx = 2, .ecx = 3, .edx = 4});
  const Registers answer = run(guests::cpuid, {.rax = 0x4000'0000}).registers;
  EXPECT_EQ(answer.eax(), 1U);
  EXPECT_EQ(answer.ebx(), 2U);
  EXPECT_EQ(answer.ecx(), 3U);
  EXPECT_EQ(answer.edx(), 4U);
}

TEST_F(LongModeTest, ASubleafOfALeafThatTheHostHasNot) {
  machine().cpuid().replace({0x4000'0100, 2}, {.eax = 0x1234, .ebx = 0x5678});
  EXPECT_EQ(run(guests::cpuid, {.rax = 0x4000'0100, .rcx = 2}).registers.eax(), 0x1234U);
  EXPECT_NE(run(guests::cpuid, {.rax = 0x4000'0100, .rcx = 0}).registers.eax(), 0x1234U);
}

TEST_F(LongModeTest, CpuidThatCantBe) {
  const CpuidFeature beyond{{1}, &CpuidRegisters::ecx, 40};
  EXPECT_THAT(message_of<SetupError>([&] { machine().cpuid().hide(beyond); }),
              HasSubstr("bit 40 of CPUID leaf 0x1: a register has 32"));
  EXPECT_THROW(machine().cpuid().show(beyond), SetupError);
  machine().cpuid().replace({0x8000'0008}, {.eax = ~0U});
  EXPECT_THAT(message_of<SetupError>([this] { (void)run(guests::cpuid); }),
              AnyOf(HasSubstr("this KVM refuses the CPUID that the test made: leaf 0x80000008.0"),
                    HasSubstr("this KVM does not show the guest the CPUID")));
}

// A machine's settings are for its next run: a handler can't change them while it runs.
TEST_F(RealModeTest, SettersRefuseWhileTheGuestRuns) {
  std::vector<std::string> refusals;
  const auto refused = [&](auto call) { refusals.push_back(message_of<SetupError>(call)); };
  machine().ports().on_out(0x80, [&](const Access&) {
    refused([&] { machine().set_cpl(0); });
    refused([&] { machine().set_paging(PagingMode::kNone); });
    refused([&] { machine().set_descriptor(8, Code32{}); });
    refused([&] { machine().set_gate(Vector{3}, IvtEntry{}); });
    refused([&] { machine().set_msr(Msr::kIa32Pat, 0); });
    refused([&] { machine().set_timeout(std::chrono::seconds{1}); });
  });
  EXPECT_THAT(run(RealModeImage{"out", {0xE6, 0x80, 0xF4}}), Halted());
  EXPECT_EQ(refusals.size(), 6U);
  EXPECT_THAT(refusals, Each(HasSubstr("was called by a handler of the machine's own")));
}

// Not every KVM shows its guests a CPUID that is not the host's.
template <typename Fixture>
class CpuidTest : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    if (this->IsSkipped() || this->HasFatalFailure()) return;
    if (const HostCan can{Ability::kCpuidChanges}; !can) GTEST_SKIP() << can.reason;
  }
};
using LongModeCpuidTest = CpuidTest<LongModeTest>;
using RealModeCpuidTest = CpuidTest<RealModeTest>;

TEST_F(LongModeCpuidTest, AFeatureCanBeHidden) {
  EXPECT_THAT(run(guests::needs_sse2), Wrote(kCom1, "y"));
  machine().cpuid().hide(kCpuidSse2);
  EXPECT_THAT(run(guests::needs_sse2), Wrote(kCom1, "n"));
  machine().cpuid().show(kCpuidSse2);
  EXPECT_THAT(run(guests::needs_sse2), Wrote(kCom1, "y"));
}

TEST_F(LongModeCpuidTest, LeavesCanBeReplacedAndMasked) {
  machine().cpuid().replace({7, 0}, {.ebx = 0x1234});
  machine().cpuid().mask({1}, {.eax = 0xFF, .ebx = 0, .ecx = 0, .edx = ~0U});

  EXPECT_EQ(run(guests::cpuid, {.rax = 7}).registers.ebx(), 0x1234U);
  const Registers masked = run(guests::cpuid, {.rax = 1}).registers;
  EXPECT_EQ(masked.eax() & ~0xFFU, 0U);
  EXPECT_NE(masked.edx(), 0U);
}

TEST_F(RealModeCpuidTest, ALoaderThatChecksForLongModeSeesNone) {
  machine().cpuid().hide(kCpuidLongMode);
  // mov eax, 0x80000001; cpuid; bt edx, 29; setc al; hlt
  const Outcome outcome = run(RealModeImage{
      "has_long_mode",
      {0x66, 0xB8, 1, 0, 0, 0x80, 0x0F, 0xA2, 0x66, 0x0F, 0xBA, 0xE2, 29, 0x0F, 0x92, 0xC0, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.al(), 0);
}

}  // namespace
