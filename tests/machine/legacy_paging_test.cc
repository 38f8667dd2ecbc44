// Protected mode with 32-bit and PAE paging: reading, writing and executing through mappings, and a
// fault for each permission. Not every KVM can run these modes: a probe asks first.
#include <hltest/hltest.h>

#include "guests/protected_mode.h"

namespace {

using namespace hltest;

// Error-code bits of #PF (SDM vol. 3, figure 4-12).
constexpr std::uint32_t kProtection = 1;
constexpr std::uint32_t kWrite = 2;
constexpr std::uint32_t kUserMode = 4;
constexpr std::uint32_t kFetch = 16;

constexpr Gva kWindow{0x40000000};

class LegacyPaging : public ProtectedModeTest, public ::testing::WithParamInterface<PagingMode> {
 protected:
  void SetUp() override {
    ProtectedModeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Machine probe{CpuMode::kProtected32};
    probe.set_paging(GetParam());
    const Outcome outcome = probe.run(ProtectedModeImage{"probe", {0x90, 0xF4}});
    if (!outcome.halted()) {
      GTEST_SKIP() << "this host's KVM can't run " << to_string(GetParam()) << ": " << outcome;
    }
    machine().set_paging(GetParam());
  }

  void enter_at_cpl_3() {
    machine().registers().set_all_segments(Segment::flat_data(kUserDataSelector));
    machine().registers().cs = Segment::flat_code32(kUserCode32Selector);
    machine().remap({.gva = Gva{0}, .gpa = Gpa{0}, .size = 64 * kKiB, .flags = kReadWrite | kUser});
  }
};

TEST_P(LegacyPaging, StartsWithRamMappedToItself) {
  const Outcome outcome =
      run(guests::store_then_load, {.rax = 0x12345678, .rbx = 0x5000, .rcx = 0x5000});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.edx(), 0x12345678U);
  EXPECT_EQ(paging_mode(outcome.registers), GetParam());
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

TEST_P(LegacyPaging, AReadOnlyPageRefusesWrites) {
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}, .flags = kReadOnly});
  EXPECT_THAT(run(guests::store_then_load, {.rbx = kWindow.value(), .rcx = kWindow.value()}),
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kWrite}));
}

TEST_P(LegacyPaging, ASupervisorPageRefusesCpl3) {
  enter_at_cpl_3();
  machine().map({.gva = kWindow, .gpa = Gpa{0x9000}});
  const Outcome outcome = run(guests::store_then_load, {.rbx = 0x5000, .rcx = kWindow.value()});
  EXPECT_THAT(outcome,
              Raised(PageFault{.address = kWindow, .error_code = kProtection | kUserMode}));
  EXPECT_EQ(outcome.end_mode, "protected32_user");
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
