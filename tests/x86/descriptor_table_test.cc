// Descriptor tables: built entry by entry, and read back as a processor with these registers would.
#include <gmock/gmock.h>
#include <hltest/x86/descriptor_table.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

// Linear memory that has `bytes` at `base`, and nothing else.
LinearReader memory_at(Gva base, std::vector<std::uint8_t> bytes) {
  return [base, bytes = std::move(bytes)](Gva gva, std::size_t count) {
    std::vector<std::uint8_t> found;
    while (found.size() < count && gva + found.size() >= base &&
           gva + found.size() - base < bytes.size()) {
      found.push_back(bytes[gva + found.size() - base]);
    }
    return found;
  };
}

Registers protected_mode(std::uint16_t gdt_limit) {
  Registers registers;
  registers.cr0.value = Cr0::kPe;
  registers.gdt = {Gva{0x1000}, gdt_limit};
  registers.ldt.unusable = true;
  return registers;
}

bool is(const std::optional<Descriptor>& found, const Descriptor& expected) {
  return found.has_value() && *found == expected;
}

TEST(DescriptorTableBuilderTest, IsReadBackAsItWasBuilt) {
  DescriptorTableBuilder table{DescriptorFormat::kLegacy};
  table.set(0x08, Code32{});
  table.set(0x1B, Data16{.dpl = 3});  // with its RPL
  EXPECT_EQ(table.limit(), 0x1F);

  const DescriptorReader read{protected_mode(table.limit()), memory_at(Gva{0x1000}, table.bytes())};
  EXPECT_TRUE(is(read.descriptor(0x08), Code32{}));
  EXPECT_TRUE(is(read.descriptor(0x0B), Code32{})) << "RPL is not part of the index";
  EXPECT_TRUE(is(read.descriptor(0x10), NullDescriptor{}));
  EXPECT_TRUE(is(read.descriptor(0x18), Data16{.dpl = 3}));
  EXPECT_EQ(read.descriptor(0x20), std::nullopt) << "beyond the limit";
  EXPECT_EQ(read.descriptor(0x0C), std::nullopt) << "there is no LDT";
}

TEST(DescriptorTableBuilderTest, SixteenByteEntriesAreOne) {
  DescriptorTableBuilder table{DescriptorFormat::kIa32e};
  const Tss64 tss{.base = Gva{0xFFFF'8000'0000'1000}};
  table.set(0x10, tss);
  EXPECT_EQ(table.limit(), 0x1F);
  EXPECT_EQ(message_of<DescriptorError>([&] { table.set(0x18, Data32{}); }),
            "the 32-bit data segment at 0x18 shares bytes with the entry at 0x10: one of them has "
            "16 bytes");
  EXPECT_THROW(table.set(0x08, tss), DescriptorError);
  EXPECT_THROW(table.set(0xFFF8, tss), DescriptorError) << "reaches beyond 64 KiB";
  table.set(0x10, Code64{});  // replaced
  table.set(0x18, Data32{});

  table.set(0x20, tss);
  Registers registers = protected_mode(table.limit());
  registers.efer.value = Efer::kLma;
  const DescriptorReader read{registers, memory_at(Gva{0x1000}, table.bytes())};
  EXPECT_TRUE(is(read.descriptor(0x20), tss));
  // A limit that cuts it in two.
  registers.gdt.limit = 0x27;
  const DescriptorReader cut{registers, memory_at(Gva{0x1000}, table.bytes())};
  EXPECT_EQ(cut.descriptor(0x20), std::nullopt);
  EXPECT_THAT(cut.to_string(),
              HasSubstr("GDT 0x0020  16 bytes, of which the table's limit cuts off some\n"));
}

TEST(DescriptorTableBuilderTest, TakesAnyBytes) {
  DescriptorTableBuilder table{DescriptorFormat::kIa32e};
  table.set(0x08, RawDescriptor{.low = 0x00CF9A000000FFFF});
  table.set(0x10, RawDescriptor{.low = 0x0000890000000067, .high = 0x0000090000000000});
  EXPECT_EQ(table.limit(), 0x1F) << "the second has 16 bytes";
  EXPECT_THROW(table.set(0x08, RawDescriptor{.low = 0x00CF9A000000FFFF, .high = 1}),
               DescriptorError);
  Registers registers = protected_mode(table.limit());
  registers.efer.value = Efer::kLma;
  const DescriptorReader read{registers, memory_at(Gva{0x1000}, table.bytes())};
  EXPECT_TRUE(is(read.descriptor(0x08), Code32{}));
  EXPECT_TRUE(is(read.descriptor(0x10),
                 ReservedDescriptor{.low = 0x0000890000000067, .high = 0x0000090000000000}));
  EXPECT_THAT(read.to_string(), HasSubstr("GDT 0x0010  reserved, bytes 0x0000890000000067, upper "
                                          "bytes 0x0000090000000000\n"));
  EXPECT_THAT(read.to_string(), ::testing::Not(HasSubstr("GDT 0x0018"))) << "its second half";
}

TEST(DescriptorTableBuilderTest, BuildsA16BitTss) {
  DescriptorTableBuilder table{DescriptorFormat::kLegacy};
  table.set(0x08, Tss16{.base = Gva{0x9000}, .busy = true});
  const DescriptorReader read{protected_mode(table.limit()), memory_at(Gva{0x1000}, table.bytes())};
  EXPECT_TRUE(is(read.descriptor(0x08), Tss16{.base = Gva{0x9000}, .busy = true}));
}

TEST(DescriptorTableBuilderTest, SegmentIsWhatALoadMakesOfAnEntry) {
  DescriptorTableBuilder table{DescriptorFormat::kLegacy};
  table.set(0x08, Data32{.base = Gva{0x5000}, .limit = 0xFFF, .dpl = 3});
  table.set(0x10, CallGate32{});
  table.set(0x18, Code32{.present = false});

  const std::optional<Segment> segment = table.segment(0x0B);
  ASSERT_TRUE(segment.has_value());
  EXPECT_EQ(segment->selector, 0x0B);
  EXPECT_EQ(segment->base, Gva{0x5000});
  EXPECT_EQ(segment->limit, 0xFFFU);
  EXPECT_EQ(segment->dpl, 3);
  EXPECT_EQ(table.segment(0x10), std::nullopt) << "a gate";
  EXPECT_EQ(table.segment(0x18), std::nullopt) << "not present";
  EXPECT_EQ(table.segment(0x20), std::nullopt) << "no entry";
}

TEST(DescriptorReaderTest, ReadsTheLdtByTheTableIndicator) {
  DescriptorTableBuilder ldt{DescriptorFormat::kLegacy};
  ldt.set(0x04, Data32{});
  Registers registers = protected_mode(0);
  registers.ldt = {.base = Gva{0x3000}, .limit = ldt.limit(), .unusable = false};
  const DescriptorReader read{registers, memory_at(Gva{0x3000}, ldt.bytes())};
  EXPECT_TRUE(is(read.descriptor(0x07), Data32{}));
  EXPECT_EQ(read.descriptor(0x0F), std::nullopt);
  EXPECT_EQ(read.to_string(),
            "LDT 0x0004  32-bit data segment, base 0x0, limit 0xffffffff, writable, not "
            "expand-down, DPL 0, present\n");
}

TEST(DescriptorReaderTest, ReadsIdtAndIvt) {
  std::vector<std::uint8_t> bytes(16, 0);
  bytes[4] = 0x34;
  bytes[5] = 0x12;
  bytes[6] = 0x00;
  bytes[7] = 0xF0;
  Registers registers;
  registers.idt = {Gva{0}, 7};
  const DescriptorReader ivt{registers, memory_at(Gva{0}, bytes)};
  EXPECT_TRUE(is(ivt.gate(Vector{1}), IvtEntry{.cs = 0xF000, .ip = 0x1234}));
  EXPECT_EQ(ivt.gate(Vector{2}), std::nullopt);

  registers.cr0.value = Cr0::kPe;
  registers.idt.limit = 15;
  const DescriptorReader idt{registers, memory_at(Gva{0}, {0, 0, 0, 0, 0, 0, 0, 0,  //
                                                           0x78, 0x56, 8, 0, 0, 0x8E, 0x34, 0x12})};
  EXPECT_TRUE(is(idt.gate(Vector{1}), InterruptGate32{.selector = 8, .offset = 0x12345678}));
  EXPECT_EQ(idt.gate(Vector{2}), std::nullopt);
  EXPECT_THAT(idt.to_string(), HasSubstr("IDT 0x01    32-bit interrupt gate, selector 0x8"));
}

TEST(DescriptorReaderTest, AnEntryThatIsCutByAnUnmappedPage) {
  Registers registers = protected_mode(0x17);
  registers.efer.value = Efer::kLma;
  registers.gdt.base = Gva{0x4FF0};
  DescriptorTableBuilder table{DescriptorFormat::kIa32e};
  table.set(0x08, CallGate64{.selector = 8, .offset = 0xFFFF'8000'0000'12AB});
  std::vector<std::uint8_t> bytes = table.bytes();
  bytes.resize(16);  // up to 0x5000
  const DescriptorReader read{registers, memory_at(Gva{0x4FF0}, bytes)};
  EXPECT_EQ(read.descriptor(0x08), std::nullopt);
}

TEST(DescriptorReaderTest, OutsideIa32eModeATableWrapsAt4GiB) {
  Registers registers = protected_mode(0x17);
  registers.gdt.base = Gva{0xFFFF'FFF8};
  const DescriptorReader read{registers, memory_at(Gva{0}, {0xFF, 0xFF, 0, 0, 0, 0x9B, 0xCF, 0})};
  EXPECT_TRUE(is(read.descriptor(0x08), Code32{}));
}

// A table that is only partly in memory, or not at all.
TEST(DescriptorReaderTest, TablesOutsideMemoryHaveNoEntries) {
  const DescriptorReader read{protected_mode(0xFFFF), memory_at(Gva{0x1000}, {1, 2, 3})};
  EXPECT_EQ(read.descriptor(0x00), std::nullopt);
  EXPECT_EQ(read.descriptor(0xFFF8), std::nullopt);
  EXPECT_EQ(read.gate(Vector{0}), std::nullopt);
}

}  // namespace
