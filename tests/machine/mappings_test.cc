// Page-table mappings of a long-mode start: identity and not, 4 KiB and 2 MiB pages.
#include <hltest/hltest.h>

#include "../message_of.h"

#include "guests/every_mode.h"
#include "guests/long_mode.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr Gva kHigh{0xFFFF'8000'0000'0000};

TEST_F(LongModeTest, ANonIdentityMappingOf4KiBPages) {
  machine().map({.gva = kHigh, .gpa = Gpa{0x200000}, .size = 8 * kKiB});

  const Outcome outcome =
      run(guests::write_then_read,
          {.rax = 0x1122334455667788, .rbx = (kHigh + 0x1000).value(), .rcx = 0x201000});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rdx, 0x1122334455667788U);
  EXPECT_EQ(memory().read<std::uint64_t>(Gpa{0x201000}), 0x1122334455667788U);
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = (kHigh + 0x2000).value()}),
              Raised(PageFault{.address = kHigh + 0x2000}))
      << "the mapping ends there";
}

TEST_F(LongModeTest, ANonIdentityMappingOf2MiBPages) {
  machine().map({.gva = Gva{0x40000000},
                 .gpa = Gpa{0x400000},
                 .size = 4 * kMiB,
                 .page_size = PageSize::k2MiB});

  const Outcome outcome =
      run(guests::write_then_read, {.rax = 77, .rbx = 0x40000000 + 0x3FFFF8, .rcx = 0x7FFFF8});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rdx, 77U);
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x40400000}), Raised(PageFault()));
}

TEST_F(LongModeTest, AMappingCanBeReadOnlyAndForbidExecution) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x200000}, .flags = kReadOnly | kNoExecute});

  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x40000000}), Halted());
  // P and W/R: a write to a present page (SDM vol. 3, figure 4-12).
  EXPECT_THAT(run(guests::write_then_read, {.rbx = 0x40000000, .rcx = 0x40000000}),
              Raised(PageFault{.address = Gva{0x40000000}, .error_code = 3}));
  // P and I/D: a fetch.
  EXPECT_THAT(run(guests::read_unmapped, {.rip = 0x40000000}),
              Raised(PageFault{.address = Gva{0x40000000}, .error_code = 0x11}));
}

TEST_F(LongModeTest, CodeRunsAtAMappedAddress) {
  machine().map({.gva = kHigh, .gpa = Gpa{0x1000}});
  const Outcome outcome = run(guests::add.in<kMode>().entered_at(kHigh), {.rax = 1, .rbx = 2});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 3);
  EXPECT_EQ(outcome.stop_address(), kHigh + 3);
}

TEST_F(LongModeTest, RamThatEndsWithinALargePageIsMappedToItsEnd) {
  machine().set_memory_size(3 * kMiB + 4 * kKiB);
  const std::uint64_t last = 3 * kMiB + 4 * kKiB - 8;
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = last}), Halted());
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = last + 8}), Raised(PageFault()));
}

TEST_F(LongModeTest, TheIdentityMapCanBeReplacedAndTakenAway) {
  machine().remap({.gva = Gva{0x200000}, .gpa = Gpa{0x400000}});
  machine().unmap(Gva{0x300000}, 0x1000);
  memory().write<std::uint64_t>(Gpa{0x400000}, 99);

  EXPECT_EQ(run(guests::read_unmapped, {.rbx = 0x200000}).registers.rax, 99U);
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x201000}), Halted()) << "the rest stays";
  EXPECT_THAT(run(guests::read_unmapped, {.rbx = 0x300000}),
              Raised(PageFault{.address = Gva{0x300000}}));
}

TEST_F(LongModeTest, APageOf1GiB) {
  if (const HostCan can{Ability::k1GiBPages}; !can) GTEST_SKIP() << can.reason;
  machine().set_memory_size(2 * kGiB);
  machine().map({.gva = kHigh, .gpa = Gpa{kGiB}, .size = kGiB, .page_size = PageSize::k1GiB});
  memory().write<std::uint64_t>(Gpa{2 * kGiB - 8}, 1234);
  EXPECT_EQ(run(guests::read_unmapped, {.rbx = (kHigh + (kGiB - 8)).value()}).registers.rax, 1234U);
}

// PS of a PDPTE would be a reserved bit: a #PF at the guest's first access, without a hint.
TEST_F(LongModeTest, PagesOf1GiBThatCpuidDoesNotShowAreRefused) {
  machine().cpuid().hide(kCpuidPage1GiB);
  machine().map({.gva = kHigh, .gpa = Gpa{0}, .size = kGiB, .page_size = PageSize::k1GiB});
  EXPECT_THAT(message_of<PagingError>([this] { (void)run(guests::read_unmapped); }),
              HasSubstr("1 GiB pages: CPUID shows no 1 GiB pages"));
}

// One table maps 2 MiB in 4 KiB pages: these tables need more than the first 2 MiB of the system
// region, which grows with them.
TEST_F(LongModeTest, ManySmallPages) {
  machine().map({.gva = kHigh, .gpa = Gpa{0}, .size = 2 * kGiB, .page_size = PageSize::k4KiB});
  const Outcome outcome =
      run(guests::write_then_read, {.rax = 9, .rbx = (kHigh + 0x300000).value(), .rcx = 0x300000});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rdx, 9U);
}

}  // namespace
