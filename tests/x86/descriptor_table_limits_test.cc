// The last entry that a table and its limit have room for, and the first that they have not; what a
// load makes of each type of entry.
#include <gmock/gmock.h>
#include <hltest/x86/descriptor_table.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr DescriptorFormat kLegacy = DescriptorFormat::kLegacy;
constexpr DescriptorFormat kIa32e = DescriptorFormat::kIa32e;

// Linear memory of a few pages from 0 on that begins with `bytes`.
LinearReader memory_of(std::vector<std::uint8_t> bytes) {
  bytes.resize(0x3000);
  return [bytes = std::move(bytes)](Gva gva, std::size_t count) {
    if (gva.value() + count > bytes.size()) return std::vector<std::uint8_t>{};
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(gva.value());
    return std::vector<std::uint8_t>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
}

Registers with_limit(std::uint16_t limit, DescriptorFormat format) {
  Registers registers;
  registers.cr0.value = Cr0::kPe;
  registers.efer.value = format == kIa32e ? Efer::kLma : 0;
  registers.gdt.limit = limit;
  registers.idt.limit = limit;
  registers.ldt = {.base = Gva{0}, .limit = limit, .unusable = false};
  return registers;
}

TEST(DescriptorTableLimitsTest, ATableHasRoomUpTo64KiB) {
  DescriptorTableBuilder legacy{kLegacy};
  EXPECT_EQ(legacy.limit(), 0) << "empty";
  legacy.set(0xFFF8, Data32{});
  EXPECT_EQ(legacy.limit(), 0xFFFF);

  DescriptorTableBuilder ia32e{kIa32e};
  ia32e.set(0xFFF0, Tss64{});
  EXPECT_EQ(ia32e.limit(), 0xFFFF);
  EXPECT_EQ(ia32e.bytes().size(), 0x10000U);
  EXPECT_THAT(
      message_of<DescriptorError>([] { DescriptorTableBuilder{kIa32e}.set(0xFFF8, Ldt{}); }),
      HasSubstr("the LDT at 0xfff8 reaches beyond the largest table"));
}

TEST(DescriptorTableLimitsTest, EntriesCanBeSideBySide) {
  DescriptorTableBuilder table{kIa32e};
  table.set(0x20, Tss64{});
  EXPECT_NO_THROW(table.set(0x18, Data32{}));
  EXPECT_NO_THROW(table.set(0x30, Ldt{}));
  EXPECT_NO_THROW(table.set(0x40, Data32{}));
  EXPECT_THROW(table.set(0x28, Data32{}), DescriptorError);
  EXPECT_THROW(table.set(0x38, Data32{}), DescriptorError);
  EXPECT_NO_THROW(table.set(0x23, Tss64{})) << "the same entry, with an RPL";
}

TEST(DescriptorTableLimitsTest, AnEntryIsReadUpToTheLimitsLastByte) {
  DescriptorTableBuilder table{kIa32e};
  table.set(0x08, Data32{});
  table.set(0x10, Tss64{});
  const LinearReader memory = memory_of(table.bytes());
  const auto reads = [&](std::uint16_t limit, unsigned selector) {
    const DescriptorReader reader{with_limit(limit, kIa32e), memory};
    return reader.descriptor(static_cast<std::uint16_t>(selector)).has_value();
  };
  for (const unsigned indicator : {0U, 4U}) {  // in the GDT and in the LDT
    EXPECT_TRUE(reads(0x0F, 0x08 | indicator));
    EXPECT_FALSE(reads(0x0E, 0x08 | indicator));
    EXPECT_TRUE(reads(0x1F, 0x10 | indicator));
    EXPECT_FALSE(reads(0x1E, 0x10 | indicator)) << "16 bytes";
  }
}

TEST(DescriptorTableLimitsTest, AGateIsReadUpToTheLimitsLastByte) {
  const auto reads = [](const Registers& registers, unsigned vector) {
    const DescriptorReader reader{registers, memory_of({})};
    return reader.gate(static_cast<Vector>(vector)).has_value();
  };
  Registers real = with_limit(0x3FF, kLegacy);
  real.cr0.value = 0;
  EXPECT_EQ(gate_size(real), 4U);
  EXPECT_TRUE(reads(real, 255));
  real.idt.limit = 0x3FE;
  EXPECT_FALSE(reads(real, 255));
  EXPECT_TRUE(reads(real, 254));

  EXPECT_EQ(gate_size(with_limit(0, kLegacy)), 8U);
  EXPECT_TRUE(reads(with_limit(0x7FF, kLegacy), 255));
  EXPECT_FALSE(reads(with_limit(0x7FE, kLegacy), 255));

  EXPECT_EQ(gate_size(with_limit(0, kIa32e)), 16U);
  EXPECT_TRUE(reads(with_limit(0xFFF, kIa32e), 255));
  EXPECT_FALSE(reads(with_limit(0xFFE, kIa32e), 255));
}

TEST(DescriptorTableLimitsTest, TheListEndsWithTheLimit) {
  DescriptorTableBuilder table{kLegacy};
  table.set(0x08, Data32{});
  table.set(0x10, Code32{});
  const auto text = [&](std::uint16_t limit) {
    return DescriptorReader{with_limit(limit, kLegacy), memory_of(table.bytes())}.to_string();
  };
  EXPECT_THAT(text(0x17), HasSubstr("GDT 0x0010"));
  EXPECT_THAT(text(0x17), HasSubstr("LDT 0x0014"));
  EXPECT_THAT(text(0x16), HasSubstr("GDT 0x0008"));
  EXPECT_THAT(text(0x16), Not(HasSubstr("GDT 0x0010")));
  EXPECT_THAT(text(0x16), Not(HasSubstr("LDT 0x0014")));
}

TEST(DescriptorTableLimitsTest, AnLdtThatIsUnusableHasNoEntries) {
  DescriptorTableBuilder table{kLegacy};
  table.set(0x08, Data32{});
  Registers registers = with_limit(table.limit(), kLegacy);
  registers.ldt.unusable = true;
  const DescriptorReader reader{registers, memory_of(table.bytes())};
  EXPECT_EQ(reader.descriptor(0x0C), std::nullopt);
  EXPECT_THAT(reader.to_string(), Not(HasSubstr("LDT")));
}

// LTR makes a TSS busy; a gate is not loaded, and neither is what the SDM reserves.
TEST(DescriptorTableLimitsTest, WhatALoadMakesOfEachSystemType) {
  constexpr int kNone = -1;
  constexpr int kLoaded[] = {kNone, 3,  2,     3,  kNone, kNone, kNone, kNone,
                             kNone, 11, kNone, 11, kNone, kNone, kNone, kNone};
  for (unsigned type = 0; type < 16; ++type) {
    DescriptorTableBuilder table{kLegacy};
    table.set(0x08, RawDescriptor{.low = (0x80ULL | type) << 40U | 0x67});
    const std::optional<Segment> loaded = table.segment(0x08);
    EXPECT_EQ(loaded.has_value() ? loaded->type : kNone, kLoaded[type]) << type;
  }
}

TEST(DescriptorTableLimitsTest, ALoadedCodeOrDataSegmentKeepsItsType) {
  for (std::uint64_t type = 0; type < 16; ++type) {
    DescriptorTableBuilder table{kLegacy};
    table.set(0x08, RawDescriptor{.low = (0x90ULL | type) << 40U | 0x67});
    const std::optional<Segment> loaded = table.segment(0x08);
    ASSERT_TRUE(loaded.has_value()) << type;
    EXPECT_EQ(loaded->type, type);
  }
}

}  // namespace
