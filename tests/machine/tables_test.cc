// Page tables that a guest finds or makes: higher-half starts, tables in RAM, tables of the guest's
// own with their whole map asserted, and the tables of a guest that switched modes itself.
#include <hltest/hltest.h>

#include "../message_of.h"
#include "guests/every_mode.h"
#include "guests/long_mode.h"
#include "guests/protected_mode.h"
#include "guests/switches.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Gva kKernel{0xFFFF'FFFF'8000'0000};

TEST_F(LongModeTest, AKernelThatIsLinkedAtMinus2GiB) {
  machine().map({.gva = kKernel, .gpa = Gpa{0x200000}, .size = 2 * kMiB});
  const Outcome outcome = run(guests::higher_half.loaded_at(Gpa{0x200000}).entered_at(kKernel));

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0x1234567890U);
  EXPECT_GE(outcome.registers.rbx, kKernel.value());
  EXPECT_GE(outcome.stop_address(), kKernel);
}

TEST_F(LongModeTest, AHigherHalfWithoutAnyLowerHalf) {
  machine().unmap(Gva{0}, 16 * kMiB);
  machine().map({.gva = kKernel, .gpa = Gpa{0}, .size = 16 * kMiB, .flags = kReadWrite | kGlobal});
  const Outcome outcome = run(guests::higher_half.loaded_at(Gpa{0}).entered_at(kKernel),
                              {.rsp = (kKernel + 0x8000).value()});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0x1234567890U);
  EXPECT_THAT(tables(), AllOf(Unmapped({Gva{0}, 16 * kMiB}), Maps({.gva = kKernel,
                                                                   .gpa = Gpa{0},
                                                                   .size = 16 * kMiB,
                                                                   .flags = kReadWrite | kGlobal,
                                                                   .page_size = PageSize::k2MiB})));
}

TEST_F(LongModeTest, TheStartStatesWholeMap) {
  const Outcome outcome = run(LongModeImage{"halt", {0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(
      tables().mapped_ranges().ranges,
      ElementsAre(MappedRange{Gva{0}, Gpa{0}, 16 * kMiB, kReadWrite},
                  MappedRange{Gva{kSystemRegion.value()}, kSystemRegion, 4 * kMiB, kReadWrite}));
}

TEST_F(LongModeTest, AGuestBuildsTablesOfItsOwn) {
  memory().write<std::uint64_t>(Gpa{0x101000}, 0xFEEDFACE);
  const Outcome outcome = run(guests::own_page_tables);

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rax, 0xFEEDFACEU);
  EXPECT_EQ(outcome.registers.cr3.table(), Gpa{0x20000});

  // What the guest's own map has to be, all of it. Through the recursive slot each table is a page:
  // the page tables of PML4 entry i, PDPT entry j and PD entry k at 510:i:j:k.
  constexpr Gva kRecursive{0xFFFF'FF00'0000'0000};
  const auto through_recursion = [&](unsigned pml4, unsigned pdpt, unsigned pd) {
    return kRecursive +
           (std::uint64_t{pml4} << 30U | std::uint64_t{pdpt} << 21U | std::uint64_t{pd} << 12U);
  };
  EXPECT_THAT(
      tables().mapped_ranges().ranges,
      ElementsAre(MappedRange{Gva{0}, Gpa{0}, 2 * kMiB, kReadWrite},
                  // The PDE of the large page is taken for a PTE: its first 4 KiB, with PAT.
                  MappedRange{through_recursion(0, 0, 0), Gpa{0}, 4 * kKiB, kReadWrite | kPat},
                  MappedRange{through_recursion(510, 0, 0), Gpa{0x22000}, 4 * kKiB, kReadWrite},
                  MappedRange{through_recursion(510, 510, 0), Gpa{0x21000}, 4 * kKiB, kReadWrite},
                  MappedRange{through_recursion(510, 510, 510), Gpa{0x20000}, 4 * kKiB, kReadWrite},
                  MappedRange{through_recursion(510, 510, 511), Gpa{0x23000}, 4 * kKiB, kReadWrite},
                  MappedRange{through_recursion(510, 511, 510), Gpa{0x24000}, 4 * kKiB, kReadWrite},
                  MappedRange{through_recursion(511, 510, 0), Gpa{0x25000}, 4 * kKiB, kReadWrite},
                  MappedRange{kKernel, Gpa{0x100000}, 4 * kKiB, kReadOnly},
                  MappedRange{kKernel + 0x1000, Gpa{0x101000}, 4 * kKiB, kReadWrite | kNoExecute}))
      << to_string(tables().mapped_ranges());

  EXPECT_THAT(tables(), Maps(kKernel + 0x1000, Gpa{0x101000}, kReadWrite | kNoExecute));
  EXPECT_THAT(tables(), Maps(kKernel + 0x10, Gpa{0x100010}, kReadOnly));
  EXPECT_THAT(tables(), Unmapped({Gva{2 * kMiB}, kRecursive.value() - 2 * kMiB}))
      << "with the hole of non-canonical addresses";
  EXPECT_EQ(tables().translate(kKernel), Gpa{0x100000});
  EXPECT_EQ(tables().translate(Gva{kSystemRegion.value()}), std::nullopt);
}

// A and D are the processor's: the guest read one page of the window and wrote none.
TEST_F(LongModeTest, AccessedAndDirtyCanBeRead) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x5000}, .size = 8 * kKiB});
  machine().map({.gva = Gva{0x50000000}, .gpa = Gpa{0x5000}});
  const Outcome outcome =
      run(guests::write_then_read, {.rax = 1, .rbx = 0x40001000, .rcx = 0x50000000});
  ASSERT_THAT(outcome, Halted());

  EXPECT_TRUE(tables().walk(Gva{0x40001000}).dirty);
  EXPECT_TRUE(tables().walk(Gva{0x50000000}).accessed);
  EXPECT_FALSE(tables().walk(Gva{0x50000000}).dirty);
  EXPECT_FALSE(tables().walk(Gva{0x40000000}).accessed);
}

TEST_F(LongModeTest, PageTablesInRam) {
  machine().set_page_tables_at(Gpa{0x200000});
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x5000}});
  const Outcome outcome =
      run(guests::write_then_read, {.rax = 5, .rbx = 0x40000000, .rcx = 0x5000});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.rdx, 5U);
  EXPECT_EQ(outcome.registers.cr3.table(), Gpa{0x200000});
  EXPECT_NE(memory().read<std::uint64_t>(Gpa{0x200000}), 0U);
  EXPECT_THAT(run(guests::divide_by_zero), Raised(DivideError()));
}

TEST_F(LongModeTest, PageTablesThatHaveNoPlace) {
  const LongModeImage halt{"halt", {0xF4}};
  EXPECT_THAT(message_of<PagingError>([this] { machine().set_page_tables_at(Gpa{0x2001}); }),
              HasSubstr("page tables at 0x2001: a table is at a multiple of 4 KiB"));
  machine().set_page_tables_at(Gpa{1ULL << 52U});
  EXPECT_THAT(message_of<PagingError>([&] { (void)run(halt); }),
              HasSubstr("the page tables (from 0x10000000000000) do not fit"));
  machine().set_page_tables_at(Gpa{16 * kMiB - 0x1000});
  EXPECT_THAT(message_of<PagingError>([&] { (void)run(halt); }),
              HasSubstr("bytes at 0xfff000) do not fit in the guest's memory, RAM 0x0-0xffffff"));
  machine().set_page_tables_at(Gpa{0x1000});
  EXPECT_THAT(
      message_of<PagingError>([&] { (void)run(halt); }),
      HasSubstr("would lie over the image halt, 0x1000-0x1000: place one of them elsewhere"));
}

// 512 GiB by pages of 1 GiB take one table a level.
TEST_F(LongModeTest, PagesOf1GiBTakeFewTables) {
  if (const HostCan can{Ability::k1GiBPages}; !can) GTEST_SKIP() << can.reason;
  machine().map({.gva = Gva{0xFFFF'8000'0000'0000},
                 .gpa = Gpa{0},
                 .size = 1ULL << 46U,
                 .page_size = PageSize::k1GiB});
  EXPECT_THAT(run(LongModeImage{"halt", {0xF4}}), Halted());
}

TEST_F(ProtectedModeTest, ARefusedMappingLeavesThePagingModeFree) {
  machine().set_paging(PagingMode::kPae);
  EXPECT_THROW(machine().map({.gva = Gva{1}}), PagingError);
  machine().set_paging(PagingMode::k32Bit);
  machine().map({.gva = Gva{0x40000000}, .size = 4 * kMiB, .page_size = PageSize::k4MiB});
}

// Address bits that the processor has not are reserved, for the walk as for it.
TEST_F(LongModeTest, AnAddressBeyondMaxphyaddrIsAReservedBit) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{1ULL << 51U}});
  const Outcome outcome = run(guests::read_unmapped, {.rbx = 0x40000000});
  const auto* const fault = std::get_if<Exception>(&outcome.stop);
  if (fault == nullptr) GTEST_SKIP() << "this host has 52 bits of physical addresses";
  constexpr std::uint32_t kReserved = 8;
  EXPECT_EQ(fault->error_code.value_or(0) & kReserved, kReserved);
  EXPECT_EQ(tables().walk(Gva{0x40000000}).end, WalkEnd::kReservedBit);
}

TEST_F(LongModeTest, TheReportShowsCodeAtTheStartOfAMapping) {
  machine().map({.gva = kKernel, .gpa = Gpa{0x1000}});
  const Outcome outcome = run(LongModeImage{"hlt", {0x90, 0xF4}}.entered_at(kKernel));
  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(report(outcome), HasSubstr("nop\n> 0xffffffff80000001  f4"));
}

// What a mode switch leaves: the tables of a guest that started in real mode.
TEST_F(RealModeTest, TheTablesOfAGuestThatWentToLongMode) {
  const Outcome outcome = run(guests::real_to_long);
  ASSERT_THAT(outcome, Halted());
  EXPECT_THAT(tables(),
              AllOf(GdtEntry(0x08, Code32{}), GdtEntry(0x10, Data32{}), GdtEntry(0x18, Code64{})));
  EXPECT_THAT(outcome.registers.gdt, DescriptorTableLimit(4 * 8 - 1));
  EXPECT_THAT(report(outcome), HasSubstr("cr2 0  cr3 8000"));
  EXPECT_THAT(report(outcome), Not(HasSubstr("jmp far"))) << "that was 32-bit code";
  EXPECT_THAT(tables().mapped_ranges().ranges,
              ElementsAre(MappedRange{Gva{0}, Gpa{0}, 2 * kMiB, kReadWrite}));
}

TEST_F(ProtectedModeTest, WithoutPagingAddressesAreThemselves) {
  ASSERT_THAT(run(ProtectedModeImage{"halt", {0xF4}}), Halted());
  EXPECT_EQ(tables().translate(Gva{0x12345}), Gpa{0x12345});
}

TEST_F(RealModeTest, TablesTakeARun) {
  EXPECT_EQ(message_of<SetupError>([this] { (void)tables(); }),
            "the guest's tables can be read after a run: this outcome is of none");
}

TEST_F(ProtectedModeTest, TablesOfLostRegistersAreNotGuessed) {
  const Outcome outcome = run(guests::triple_fault);
  ASSERT_THAT(outcome, TripleFaulted());
  if (outcome.registers_are_lost()) {
    EXPECT_THAT(message_of<SetupError>([this] { (void)tables(); }),
                HasSubstr("after the triple fault this host's KVM has reset the registers"));
  } else {
    EXPECT_EQ(tables().registers().idt, outcome.registers.idt);
  }
}

}  // namespace
