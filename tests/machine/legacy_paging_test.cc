// Protected mode with 32-bit and PAE paging: reading, writing and executing through mappings, and a
// fault for each permission. Not every KVM can run these modes: a probe asks first.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "../page_fault_bits.h"
#include "guests/protected_mode.h"

namespace {

using namespace hltest;

constexpr Gva kWindow{0x40000000};

class LegacyPaging : public ProtectedModeTest, public ::testing::WithParamInterface<PagingMode> {
 protected:
  void SetUp() override {
    ProtectedModeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const HostCan can{GetParam() == PagingMode::kPae ? Ability::kPaePaging : Ability::k32BitPaging};
    if (!can) GTEST_SKIP() << can.reason;
    machine().set_paging(GetParam());
  }
};

TEST_P(LegacyPaging, StartsWithRamMappedToItself) {
  const Outcome outcome =
      run(guests::store_then_load, {.rax = 0x12345678, .rbx = 0x5000, .rcx = 0x5000});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.edx(), 0x12345678U);
  EXPECT_EQ(paging_mode(outcome.registers), GetParam());
  EXPECT_THAT(tables(), Maps({.gva = Gva{0}, .gpa = Gpa{0}, .size = 16 * kMiB}));
  EXPECT_THAT(run(guests::store_then_load, {.rbx = 0x5000, .rcx = 0xE0000000}),
              Raised(PageFault{.address = Gva{0xE0000000}, .error_code = 0}));
}

TEST_P(LegacyPaging, ReadsAndWritesThroughSmallAndLargePages) {
  const std::uint64_t large = paging_format(GetParam()).covered(1);
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .size = 8 * kKiB});
  machine().map(
      {.gva = kWindow + large, .gpa = Gpa{large}, .size = large, .page_size = PageSize{large}});

  EXPECT_EQ(
      run(guests::store_then_load, {.rax = 0xAAAA, .rbx = kWindow.value() + 0x1004, .rcx = 0xA004})
          .registers.edx(),
      0xAAAAU);
  EXPECT_EQ(run(guests::store_then_load,
                {.rax = 0xBBBB, .rbx = kWindow.value() + 2 * large - 4, .rcx = 2 * large - 4})
                .registers.edx(),
            0xBBBBU);
}

TEST_P(LegacyPaging, ExecutesThroughAMapping) {
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}});
  memory().write_bytes(Gpa{0x9000}, std::array<std::uint8_t, 6>{0xB8, 0x44, 0x33, 0, 0, 0xC3});
  const Outcome outcome = run(guests::call_address, {.rbx = kWindow.value()});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.eax(), 0x3344U);
}

TEST_P(LegacyPaging, AReadOnlyPageRefusesWritesWithWp) {
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kReadOnly});
  const StartRegisters start{.rax = 5, .rbx = kWindow.value(), .rcx = 0x9000};
  EXPECT_THAT(run(guests::store_then_load, start),
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kWrite}));
  machine().registers().cr0->value &= ~Cr0::kWp;
  EXPECT_EQ(run(guests::store_then_load, start).registers.edx(), 5U);
}

TEST_P(LegacyPaging, SmepKeepsCpl0FromExecutingUserPages) {
  if (const HostCan can{Ability::kSmep}; !can) GTEST_SKIP() << can.reason;
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kReadWrite | kUser});
  memory().write<std::uint8_t>(Gpa{0x9000}, 0xC3);
  const StartRegisters start{.rbx = kWindow.value()};
  EXPECT_THAT(run(guests::from_protected_mode::call_address, start), Halted());
  machine().registers().cr4->value |= Cr4::kSmep;
  EXPECT_THAT(run(guests::from_protected_mode::call_address, start),
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kFetch}));
}

TEST_P(LegacyPaging, SmapKeepsCpl0FromReadingUserPages) {
  if (const HostCan can{Ability::kSmap}; !can) GTEST_SKIP() << can.reason;
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kReadWrite | kUser});
  machine().registers().cr4->value |= Cr4::kSmap;
  EXPECT_THAT(run(guests::store_then_load, {.rbx = 0x5000, .rcx = kWindow.value()}),
              Raised(PageFault{.address = kWindow, .error_code = kProtection}));
  EXPECT_THAT(run(guests::store_then_load,
                  {.rbx = 0x5000, .rcx = kWindow.value(), .rflags = Rflags::kFixed | Rflags::kAc}),
              Halted())
      << "AC lets it";
}

TEST_P(LegacyPaging, ASupervisorPageRefusesCpl3) {
  machine().set_cpl(3);
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}});
  const Outcome outcome = run(guests::store_then_load, {.rbx = 0x5000, .rcx = kWindow.value()});
  EXPECT_THAT(outcome,
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kUserMode}));
  EXPECT_EQ(mode_name(outcome.registers), "protected32_user");
}

TEST_P(LegacyPaging, ANoExecutePageRefusesFetches) {
  if (GetParam() == PagingMode::k32Bit) {
    EXPECT_THROW(machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kNoExecute}),
                 PagingError);
    return;
  }
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kNoExecute});
  EXPECT_THAT(run(guests::call_address, {.rbx = kWindow.value()}),
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kFetch}));
}

TEST_P(LegacyPaging, UnmappedRamIsGone) {
  machine().unmap(Gva{0x9000}, 0x1000);
  EXPECT_THAT(run(guests::store_then_load, {.rbx = 0x8000, .rcx = 0x9000}),
              Raised(PageFault{.address = Gva{0x9000}, .error_code = 0}));
  EXPECT_THAT(run(guests::store_then_load, {.rbx = 0x8000, .rcx = 0xA000}), Halted());
}

INSTANTIATE_TEST_SUITE_P(Modes, LegacyPaging,
                         ::testing::Values(PagingMode::k32Bit, PagingMode::kPae),
                         [](const auto& parameter) {
                           return parameter.param == PagingMode::k32Bit ? "Paging32Bit" : "Pae";
                         });

}  // namespace
