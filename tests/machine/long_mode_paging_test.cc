// Long mode with 4-level and 5-level paging: reading, writing and executing through mappings, and a
// fault for each permission. Not every host has 5-level paging, SMEP and SMAP: a probe asks first.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "../page_fault_bits.h"
#include "guests/every_mode.h"
#include "guests/long_mode.h"

namespace {

using namespace hltest;

class LongModePaging : public LongModeTest, public ::testing::WithParamInterface<PagingMode> {
 protected:
  void SetUp() override {
    LongModeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (const HostCan can{Ability::k5LevelPaging}; GetParam() == PagingMode::k5Level && !can) {
      GTEST_SKIP() << can.reason;
    }
    machine().set_paging(GetParam());
  }

  // Higher half, and with 5 levels beyond the 48 bits of 4-level paging.
  static Gva window() {
    return GetParam() == PagingMode::k5Level ? Gva{0xFF00'0000'4000'0000}
                                             : Gva{0xFFFF'8000'4000'0000};
  }
};

TEST_P(LongModePaging, StartsWithRamMappedToItself) {
  const Outcome outcome = run(guests::write_then_read, {.rax = 1, .rbx = 0x5000, .rcx = 0x5000});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(paging_mode(outcome.registers), GetParam());
  EXPECT_THAT(tables(), Maps({.gva = Gva{0}, .gpa = Gpa{0}, .size = 16 * kMiB}));
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 16 * kMiB}),
              Raised(PageFault{.address = Gva{16 * kMiB}, .error_code = 0}));
}

TEST_P(LongModePaging, ReadsAndWritesThroughSmallAndLargePages) {
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .size = 8 * kKiB});
  machine().map({.gva = window() + 2 * kMiB,
                 .gpa = Gpa{4 * kMiB},
                 .size = 4 * kMiB,
                 .page_size = PageSize::k2MiB});

  EXPECT_EQ(
      run(guests::write_then_read, {.rax = 11, .rbx = (window() + 0x1008).value(), .rcx = 0xA008})
          .registers.rdx,
      11U);
  EXPECT_EQ(run(guests::write_then_read,
                {.rax = 22, .rbx = (window() + (6 * kMiB - 8)).value(), .rcx = 8 * kMiB - 8})
                .registers.rdx,
            22U);
}

TEST_P(LongModePaging, ExecutesThroughAMapping) {
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .flags = kReadOnly});
  memory().write_bytes(Gpa{0x9000}, std::vector<std::uint8_t>{0xB8, 0x44, 0x33, 0, 0, 0xC3});
  const Outcome outcome = run(guests::from_long_mode::call_address, {.rbx = window().value()});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0x3344U);
}

TEST_P(LongModePaging, AReadOnlyPageRefusesWritesWithWp) {
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .flags = kReadOnly});
  const StartRegisters start{.rax = 5, .rbx = window().value(), .rcx = 0x9000};
  EXPECT_THAT(run(guests::write_then_read, start),
              Raised(PageFault{.address = window(), .error_code = kProtection | kWrite}));
  machine().registers().cr0->value &= ~Cr0::kWp;
  EXPECT_EQ(run(guests::write_then_read, start).registers.rdx, 5U) << "CPL 0 may without CR0.WP";
}

// In the lower half: a software KVM runs CPL 3 beside its host's kernel, which has the upper.
constexpr Gva kUserWindow{0x4000'0000};

TEST_P(LongModePaging, ASupervisorPageRefusesCpl3) {
  machine().set_cpl(3);
  machine().map({.gva = kUserWindow, .gpa = Gpa{0x9000}});
  const Outcome outcome = run(guests::read_unmapped, {.rbx = kUserWindow.value()});
  EXPECT_THAT(outcome,
              Raised(PageFault{.address = kUserWindow, .error_code = kProtection | kUserMode}));
  EXPECT_EQ(mode_name(outcome.registers), "long64_user");
}

TEST_P(LongModePaging, AUserPageIsCpl3s) {
  machine().set_cpl(3);
  machine().map({.gva = kUserWindow, .gpa = Gpa{0x9000}, .flags = kReadOnly | kUser});
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = kUserWindow.value()}), Halted());
  EXPECT_THAT(
      run(guests::write_then_read, {.rbx = kUserWindow.value()}),
      Raised(PageFault{.address = kUserWindow, .error_code = kProtection | kWrite | kUserMode}));
}

TEST_P(LongModePaging, ANoExecutePageRefusesFetches) {
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .flags = kReadWrite | kNoExecute});
  EXPECT_THAT(run(guests::from_long_mode::call_address, {.rbx = window().value()}),
              Raised(PageFault{.address = window(), .error_code = kProtection | kFetch}));
}

TEST_P(LongModePaging, SmepKeepsCpl0FromExecutingUserPages) {
  if (const HostCan can{Ability::kSmep}; !can) GTEST_SKIP() << can.reason;
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .flags = kReadWrite | kUser});
  memory().write<std::uint8_t>(Gpa{0x9000}, 0xC3);
  const StartRegisters start{.rbx = window().value()};
  EXPECT_THAT(run(guests::from_long_mode::call_address, start), Halted());
  machine().registers().cr4->value |= Cr4::kSmep;
  EXPECT_THAT(run(guests::from_long_mode::call_address, start),
              Raised(PageFault{.address = window(), .error_code = kProtection | kFetch}));
}

TEST_P(LongModePaging, SmapKeepsCpl0FromReadingUserPages) {
  if (const HostCan can{Ability::kSmap}; !can) GTEST_SKIP() << can.reason;
  machine().map({.gva = window(), .gpa = Gpa{0x9000}, .flags = kReadWrite | kUser});
  machine().registers().cr4->value |= Cr4::kSmap;
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = window().value()}),
              Raised(PageFault{.address = window(), .error_code = kProtection}));
  EXPECT_THAT(
      run(guests::read_unmapped, {.rbx = window().value(), .rflags = Rflags::kFixed | Rflags::kAc}),
      Halted())
      << "AC lets it";
}

INSTANTIATE_TEST_SUITE_P(Modes, LongModePaging,
                         ::testing::Values(PagingMode::k4Level, PagingMode::k5Level),
                         [](const auto& parameter) {
                           return parameter.param == PagingMode::k4Level ? "Level4" : "Level5";
                         });

}  // namespace
