// What a user reads when a guest's tables are not as expected. The tables are made by hand in
// memory that no guest runs on: this needs no KVM.
#include <hltest/hltest.h>

#include "../expectation_message.h"
#include "../message_of.h"
#include "vm/guest_memory.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Long mode with tables at 0x2000, a GDT at 0x1000 and an IDT at 0x3000.
class TableMessages : public ::testing::Test {
 protected:
  TableMessages() {
    registers_.cr0.value = Cr0::kPe | Cr0::kPg;
    registers_.cr4.value = Cr4::kPae;
    registers_.efer.value = Efer::kLma | Efer::kNxe;
    registers_.cr3.value = 0x2000;
    registers_.gdt = {Gva{0x1000}, 0x17};
    registers_.idt = {Gva{0x3000}, 0x1F};
    registers_.ldt = Segment::null_ldt();
    // PML4[0] -> PDPT[0] -> PD: [0] is a large page, [1] -> PT: [0] read-only, no-execute.
    memory_.write<std::uint64_t>(Gpa{0x2000}, 0x4003);
    memory_.write<std::uint64_t>(Gpa{0x4000}, 0x5003);
    memory_.write<std::uint64_t>(Gpa{0x5000}, 0x83);
    memory_.write<std::uint64_t>(Gpa{0x5008}, 0x6003);
    memory_.write<std::uint64_t>(Gpa{0x6000}, 0x8000'0000'0000'7001);
  }

  GuestTables tables() { return {registers_, internal::MachineMemory{memory_}.share()}; }

  GuestMemory memory_{64 * kKiB, CpuMode::kLong64};
  Registers registers_;
};

TEST_F(TableMessages, AnotherTranslation) {
  EXPECT_EQ(message(tables(), Maps(Gva{0x200000}, Gpa{0x8000}, kReadWrite | kNoExecute)),
            "Value of: value\n"
            "Expected: maps 0x200000 -> 0x8000 rw-\n"
            "  Actual: 4-level paging (CR3 0x2000), GDT at 0x1000 limit 0x17, IDT at 0x3000 limit "
            "0x1f (of type hltest::GuestTables), where 0x200000 differs:\n"
            "              expected                  actual\n"
            "* address     0x8000                    0x7000\n"
            "* flags       rw-                       r--\n"
            "4-level paging of 0x200000\n"
            "  PML4E at 0x2000: 0x4003 (U/S = 0)\n"
            "  PDPTE at 0x4000: 0x5003\n"
            "  PDE   at 0x5008: 0x6003\n"
            "  PTE   at 0x6000: 0x8000000000007001 (R/W = 0, XD = 1)\n"
            "  -> 0x7000 r--, page of 4 KiB\n");
}

TEST_F(TableMessages, WhatIsNotMapped) {
  EXPECT_THAT(message(tables(), Maps(Gva{0x201000}, Gpa{0x8000}, kReadWrite)),
              HasSubstr("where 0x201000 is not mapped: not present\n4-level paging of 0x201000\n"
                        "  PML4E at 0x2000: 0x4003 (U/S = 0)\n  PDPTE at 0x4000: 0x5003\n  PDE   "
                        "at 0x5008: 0x6003\n"
                        "  PTE   at 0x6008: 0x0\n  not present\n"));
}

TEST_F(TableMessages, ARangeIsLookedAtPageByPage) {
  const PageMapping low{.gva = Gva{0}, .gpa = Gpa{0}, .size = 2 * kMiB};
  EXPECT_EQ(message(tables(), Maps(low)), "(it matches)");
  PageMapping longer = low;
  longer.size += 4 * kKiB;
  EXPECT_THAT(message(tables(), Maps(longer)),
              AllOf(HasSubstr("Expected: maps 0x0-0x200fff -> 0x0 rwx"),
                    HasSubstr("where 0x200000 differs:\n"),
                    HasSubstr("* flags       rwx                       r--")));
  PageMapping small = low;
  small.page_size = PageSize::k4KiB;
  EXPECT_THAT(message(tables(), Maps(small)),
              HasSubstr("* page        4 KiB                     2 MiB"));
}

TEST_F(TableMessages, WhatIsMappedAfterAll) {
  EXPECT_EQ(message(tables(), Unmapped({Gva{0x201000}, 4 * kMiB})), "(it matches)");
  EXPECT_THAT(message(tables(), Unmapped({Gva{0x201000}, ~0ULL - 0x201000})), "(it matches)")
      << "all the rest";
  EXPECT_THAT(message(tables(), Unmapped({Gva{0x1FF000}, 8 * kKiB})),
              AllOf(HasSubstr("Expected: does not map 0x1ff000-0x200fff"),
                    HasSubstr("where 0x1ff000 is mapped\n"), HasSubstr("-> 0x1ff000 rwx")));
  registers_.cr3.value = 0x100000;
  EXPECT_EQ(message(tables(), Unmapped({Gva{0}, 1ULL << 63U})), "(it matches)")
      << "the tables are outside memory";
}

TEST_F(TableMessages, AnEmptyRangeIsNoExpectation) {
  EXPECT_EQ(message_of<SetupError>([] {
              (void)Unmapped({Gva{0x1000}, 0});
            }),
            "Unmapped: 0 bytes from 0x1000 on are no range of addresses");
  EXPECT_THROW((void)Maps(PageMapping{.size = 0}), SetupError);
  EXPECT_THROW((void)Unmapped({Gva{~0ULL}, 2}), SetupError);
}

TEST_F(TableMessages, ADescriptorThatDiffers) {
  memory_.write<std::uint64_t>(Gpa{0x1008}, 0x004F9B000000FFFF);  // G is missing
  EXPECT_EQ(message(tables(), GdtEntry(0x08, Code32{})),
            "Value of: value\n"
            "Expected: has in its GDT at 0x8 a 32-bit code segment, base 0x0, limit 0xffffffff, "
            "readable, not conforming, DPL 0, present\n"
            "  Actual: 4-level paging (CR3 0x2000), GDT at 0x1000 limit 0x17, IDT at 0x3000 limit "
            "0x1f (of type hltest::GuestTables), which differs:\n"
            "              expected                  actual\n"
            "  form        32-bit code segment       32-bit code segment\n"
            "  base        0x0                       0x0\n"
            "* limit       0xffffffff                0xfffff\n"
            "  readable    yes                       yes\n"
            "  conforming  no                        no\n"
            "  DPL         0                         0\n"
            "  present     yes                       yes\n");
}

TEST_F(TableMessages, ADescriptorOfAnotherForm) {
  memory_.write<std::uint64_t>(Gpa{0x1008}, 0x00CF93000000FFFF);
  EXPECT_THAT(message(tables(), GdtEntry(0x08, Code64{})),
              AllOf(HasSubstr("* form        64-bit code segment       32-bit data segment\n"),
                    HasSubstr("* readable    yes                       -\n"),
                    HasSubstr("* limit       -                         0xffffffff\n")));
}

TEST_F(TableMessages, ADescriptorThatIsNotThere) {
  EXPECT_THAT(
      message(tables(), GdtEntry(0x18, Code64{})),
      HasSubstr("whose GDT ends before the entry at 0x18: its limit is 0x17, and that takes "
                "0x1f"));
  EXPECT_THAT(message(tables(), GdtEntry(0x0C, Data32{})), HasSubstr("which has no LDT"));
}

TEST_F(TableMessages, AGateThatDiffersOrIsMissing) {
  memory_.write<std::uint64_t>(Gpa{0x3010}, 0x00008E0000181234);
  const InterruptGate64 gate{.selector = 0x18, .offset = 0x1234};
  EXPECT_EQ(message(tables(), IdtGate(Vector{1}, gate)), "(it matches)");
  EXPECT_THAT(
      message(tables(), IdtGate(Vector{1}, TrapGate64{.selector = 0x18, .offset = 0x1234})),
      AllOf(HasSubstr("Expected: has for vector 0x1 a 64-bit trap gate, selector 0x18, offset "
                      "0x1234, IST 0, DPL 0, present"),
            HasSubstr("* form        64-bit trap gate          64-bit interrupt gate")));
  EXPECT_THAT(
      message(tables(), IdtGate(Vector{2}, gate)),
      HasSubstr("whose IDT ends before the gate for vector 0x2: its limit is 0x1f, and that "
                "takes 0x2f"));
}

TEST_F(TableMessages, TablesThatCantBeRead) {
  registers_.gdt = {Gva{0x7000'0000'0000}, 0xFFFF};
  registers_.idt = registers_.gdt;
  EXPECT_THAT(message(tables(), GdtEntry(0x08, Code64{})),
              HasSubstr("whose GDT can't be read: it is not mapped, or not in memory"));
  EXPECT_THAT(message(tables(), IdtGate(Vector{3}, InterruptGate64{})),
              HasSubstr("whose IDT can't be read: it is not mapped, or not in memory"));
}

TEST_F(TableMessages, TheWholeMap) {
  const MappedRange low{Gva{0}, Gpa{0}, 2 * kMiB, kReadWrite};
  const MappedRange page{Gva{0x200000}, Gpa{0x7000}, 4 * kKiB, kReadOnly | kNoExecute};
  EXPECT_EQ(message(tables(), MapsExactly({low, page})), "(it matches)");
  EXPECT_EQ(message(tables(), MapsExactly({page, low})), "(it matches)");
  MappedRange writable = page;
  writable.flags = kReadWrite | kNoExecute;
  EXPECT_THAT(message(tables(), MapsExactly({low, writable})),
              HasSubstr("which maps (- is missing, + is not expected):\n"
                        "  0x0000000000000000-0x00000000001fffff -> 0x0 rwx\n"
                        "- 0x0000000000200000-0x0000000000200fff -> 0x7000 rw-\n"
                        "+ 0x0000000000200000-0x0000000000200fff -> 0x7000 r--\n"));
  memory_.write<std::uint64_t>(Gpa{0x5010}, 0x2083);
  EXPECT_THAT(message(tables(), MapsExactly({low, page})),
              HasSubstr("0x0000000000400000: a reserved bit is set (PDE at 0x5010: 0x2083)"));
}

// The mistake that is made most: the size, or the number of entries, in place of size - 1.
TEST_F(TableMessages, AGdtLimitInTheWrongUnit) {
  EXPECT_EQ(message(DescriptorTableRegister{Gva{0x1000}, 0x17}, DescriptorTableLimit(0x17)),
            "(it matches)");
  EXPECT_EQ(
      message(DescriptorTableRegister{Gva{0x1000}, 24}, DescriptorTableLimit(23)),
      "Value of: value\n"
      "Expected: has limit 0x17 (24 bytes: 3 entries of 8)\n"
      "  Actual: base 0x1000 limit 0x18 (of type hltest::DescriptorTableRegister), which has limit "
      "0x18 (25 bytes: 3 entries of 8, and 1 more)");
  EXPECT_THAT(message(DescriptorTableRegister{Gva{0x1000}, 0xFFF}, DescriptorTableLimit(23)),
              HasSubstr("limit 0xfff (4096 bytes: 512 entries of 8, or 256 of 16)"))
      << "a gate of long mode has 16";
  EXPECT_THAT(message(DescriptorTableRegister{Gva{0x1000}, 3}, DescriptorTableLimit(23)),
              HasSubstr("limit 0x3 (4 bytes: 0 entries of 8, and 4 more)"));
}

// Tables that share tables: 512 * 512 * 512 page tables, all of them the same, with nothing in
// them.
TEST_F(TableMessages, TablesWithoutEndAreGivenUp) {
  for (std::uint64_t i = 0; i < 512; ++i) {
    memory_.write<std::uint64_t>(Gpa{0x8000 + 8 * i}, 0x9003);
    memory_.write<std::uint64_t>(Gpa{0x9000 + 8 * i}, 0xA003);
    memory_.write<std::uint64_t>(Gpa{0xA000 + 8 * i}, 0xB003);
  }
  registers_.cr3.value = 0x8000;
  EXPECT_THAT(message(tables(), Unmapped({Gva{0}, 1ULL << 47U})),
              HasSubstr("which has more entries than are looked at: ask for less at once"));
}

}  // namespace
