#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <vector>

#include <hltest/tables.h>
#include <hltest/x86/descriptor.h>
#include <hltest/x86/paging.h>

/// What a test says about the tables that a guest left: `EXPECT_THAT(tables(), Maps(…))`. A
/// mismatch prints the walk, or both descriptors decoded side by side.
namespace hltest {

using TablesMatcher = ::testing::Matcher<const GuestTables&>;

/// `gva` translates to `gpa`, and all levels together allow and cache exactly what `flags` say:
/// `Maps(Gva{0x400000}, Gpa{0x200000}, kReadWrite | kNoExecute)`.
TablesMatcher Maps(Gva gva, Gpa gpa, PageFlags flags);
/// All of a range does, in pages of whatever size (of `page_size`, unless that is `kLargest`).
/// Throws `SetupError` for an empty range, which anything would match.
TablesMatcher Maps(const PageMapping& mapping);

/// The whole map is this, in any order, and no entry is broken. A range holds all
/// that is mapped alike side by side, in pages of whatever size: `MapsExactly({{Gva{0}, Gpa{0}, 2 *
/// kMiB, kReadWrite}})`.
TablesMatcher MapsExactly(std::vector<MappedRange> ranges);

/// `size` bytes of linear addresses, from `gva` on.
struct GvaRange {
  Gva gva{};
  std::uint64_t size = 4 * kKiB;
};
/// Nothing in the range is mapped: `Unmapped({Gva{0}, 4 * kKiB})`. Throws `SetupError` for
/// an empty range.
TablesMatcher Unmapped(GvaRange range);

/// The GDT (or, by the selector's TI, LDT) has this descriptor for the selector:
/// `GdtEntry(0x08, Code64{})`. The accessed flag of code and data does not count.
TablesMatcher GdtEntry(std::uint16_t selector, const Descriptor& descriptor);

/// The IDT has this gate for the vector, the real-mode IVT this entry:
/// `IdtGate(Vector{0x21}, InterruptGate32{.selector = 8, .offset = 0x1234})`.
TablesMatcher IdtGate(Vector vector, const Descriptor& gate);

/// GDTR or IDTR has this limit, which is the offset of the table's last byte:
/// `EXPECT_THAT(outcome.registers.gdt, DescriptorTableLimit(3 * 8 - 1))`.
::testing::Matcher<const DescriptorTableRegister&> DescriptorTableLimit(std::uint16_t limit);

}  // namespace hltest
