// Descriptors by name: encoded to bytes worked out by hand from the SDM's figures, decoded back,
// and refused where no bytes express them.
#include <gmock/gmock.h>
#include <hltest/x86/descriptor.h>

#include <random>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

struct Known {
  Descriptor descriptor;
  DescriptorFormat format;
  std::uint64_t low;
  std::uint64_t high = 0;
  const char* text;
};

constexpr DescriptorFormat kLegacy = DescriptorFormat::kLegacy;
constexpr DescriptorFormat kIa32e = DescriptorFormat::kIa32e;

const std::vector<Known>& known() {
  static const std::vector<Known> all = {
      {NullDescriptor{}, kLegacy, 0, 0, "null descriptor"},
      {Code32{}, kLegacy, 0x00CF9B000000FFFF, 0,
       "32-bit code segment, base 0x0, limit 0xffffffff, readable, not conforming, DPL 0, present"},
      {Code16{.base = Gva{0x12345678}, .limit = 0xABCDE}, kLegacy, 0x120A9B345678BCDE, 0,
       "16-bit code segment, base 0x12345678, limit 0xabcde, readable, not conforming, DPL 0, "
       "present"},
      {Code32{.dpl = 3, .readable = false, .conforming = true}, kLegacy, 0x00CFFD000000FFFF, 0,
       "32-bit code segment, base 0x0, limit 0xffffffff, not readable, conforming, DPL 3, present"},
      {Code64{.dpl = 3}, kIa32e, 0x00AFFB000000FFFF, 0,
       "64-bit code segment, readable, not conforming, DPL 3, present"},
      {Data32{}, kLegacy, 0x00CF93000000FFFF, 0,
       "32-bit data segment, base 0x0, limit 0xffffffff, writable, not expand-down, DPL 0, "
       "present"},
      {Data16{.limit = 0xFFF, .writable = false, .present = false}, kLegacy, 0x0000110000000FFF, 0,
       "16-bit data segment, base 0x0, limit 0xfff, not writable, not expand-down, DPL 0, not "
       "present"},
      {Data32{.limit = 0x1FFF, .expand_down = true}, kLegacy, 0x0040970000001FFF, 0,
       "32-bit data segment, base 0x0, limit 0x1fff, writable, expand-down, DPL 0, present"},
      {Ldt{.base = Gva{0x8000}, .limit = 0x27}, kLegacy, 0x0000820080000027, 0,
       "LDT, base 0x8000, limit 0x27, DPL 0, present"},
      {Ldt{.base = Gva{0xFFFF800000008000}, .limit = 0x27}, kIa32e, 0x0000820080000027, 0xFFFF8000,
       "LDT, base 0xffff800000008000, limit 0x27, DPL 0, present"},
      {Tss16{.base = Gva{0x9000}}, kLegacy, 0x000081009000002B, 0,
       "16-bit TSS, base 0x9000, limit 0x2b, not busy, DPL 0, present"},
      {Tss32{.base = Gva{0xF1234567}, .busy = true}, kLegacy, 0xF1008B2345670067, 0,
       "32-bit TSS, base 0xf1234567, limit 0x67, busy, DPL 0, present"},
      {Tss64{.base = Gva{0xFFFFFFFFF1234567}}, kIa32e, 0xF100892345670067, 0xFFFFFFFF,
       "64-bit TSS, base 0xfffffffff1234567, limit 0x67, not busy, DPL 0, present"},
      {CallGate16{.selector = 0x28, .offset = 0x1234, .parameters = 2, .dpl = 3}, kLegacy,
       0x0000E40200281234, 0,
       "16-bit call gate, selector 0x28, offset 0x1234, parameters 2, DPL 3, present"},
      {CallGate32{.selector = 0x08, .offset = 0x12345678, .parameters = 31}, kLegacy,
       0x12348C1F00085678, 0,
       "32-bit call gate, selector 0x8, offset 0x12345678, parameters 31, DPL 0, present"},
      {CallGate64{.selector = 0x18, .offset = 0xFFFF800012345678}, kIa32e, 0x12348C0000185678,
       0xFFFF8000, "64-bit call gate, selector 0x18, offset 0xffff800012345678, DPL 0, present"},
      {InterruptGate16{.selector = 0x28, .offset = 0x1234}, kLegacy, 0x0000860000281234, 0,
       "16-bit interrupt gate, selector 0x28, offset 0x1234, DPL 0, present"},
      {InterruptGate32{.selector = 0x08, .offset = 0x12345678, .dpl = 3}, kLegacy,
       0x1234EE0000085678, 0,
       "32-bit interrupt gate, selector 0x8, offset 0x12345678, DPL 3, present"},
      {InterruptGate64{.selector = 0x18, .offset = 0xFFFF800012345678, .ist = 1}, kIa32e,
       0x12348E0100185678, 0xFFFF8000,
       "64-bit interrupt gate, selector 0x18, offset 0xffff800012345678, IST 1, DPL 0, present"},
      {TrapGate16{.selector = 0x28, .offset = 0x1234}, kLegacy, 0x0000870000281234, 0,
       "16-bit trap gate, selector 0x28, offset 0x1234, DPL 0, present"},
      {TrapGate32{.selector = 0x08, .offset = 0x12345678, .present = false}, kLegacy,
       0x12340F0000085678, 0,
       "32-bit trap gate, selector 0x8, offset 0x12345678, DPL 0, not present"},
      {TrapGate64{.selector = 0x18, .offset = 0x5678, .ist = 7}, kIa32e, 0x00008F0700185678, 0,
       "64-bit trap gate, selector 0x18, offset 0x5678, IST 7, DPL 0, present"},
      {TaskGate{.selector = 0x48, .dpl = 3}, kLegacy, 0x0000E50000480000, 0,
       "task gate, selector 0x48, DPL 3, present"},
  };
  return all;
}

TEST(DescriptorTest, EncodesToTheSdmsBytes) {
  for (const Known& each : known()) {
    const EncodedDescriptor encoded = encode(each.descriptor, each.format);
    EXPECT_EQ(encoded.low, each.low) << each.text;
    EXPECT_EQ(encoded.high, each.high) << each.text;
    EXPECT_EQ(encoded.is_16_bytes, has_16_bytes(each.low, each.format)) << each.text;
  }
}

TEST(DescriptorTest, DecodesWhatItEncodes) {
  for (const Known& each : known()) {
    EXPECT_EQ(to_string(decode_descriptor(each.low, each.high, each.format)), each.text);
    EXPECT_TRUE(decode_descriptor(each.low, each.high, each.format) == each.descriptor)
        << each.text;
  }
}

TEST(DescriptorTest, AvlGAndAccessedAreFields) {
  EXPECT_EQ(
      encode(Data32{.limit = 0xFFF, .avl = true, .granularity = true, .accessed = false}, kLegacy)
          .low,
      0x00D0'9200'0000'0000U);
  EXPECT_EQ(encode(Code32{.avl = true, .accessed = false}, kLegacy).low, 0x00DF'9A00'0000'FFFFU);
  EXPECT_EQ(encode(Code64{.avl = true, .accessed = false}, kIa32e).low, 0x00BF'9A00'0000'FFFFU);
  EXPECT_EQ(encode(Ldt{.limit = 0xFFF, .avl = true, .granularity = true}, kLegacy).low,
            0x0090'8200'0000'0000U);
  EXPECT_EQ(encode(Tss16{.limit = 0x1FFF, .avl = true, .granularity = true}, kLegacy).low,
            0x0090'8100'0000'0001U);

  const Descriptor data = decode_descriptor(0x00D0920000000000, 0, kLegacy);
  EXPECT_TRUE(std::get<Data32>(data).avl && std::get<Data32>(data).granularity);
  EXPECT_FALSE(std::get<Data32>(data).accessed);
  EXPECT_FALSE(data == Descriptor{Data32{.limit = 0xFFF}}) << "AVL and G count";
  EXPECT_FALSE(data == (Descriptor{Data32{.limit = 0xFFF, .avl = true}})) << "G counts";
  EXPECT_TRUE(data == (Descriptor{Data32{.limit = 0xFFF, .avl = true, .granularity = true}}));
  EXPECT_EQ(to_string(data),
            "32-bit data segment, base 0x0, limit 0xfff, writable, not expand-down, DPL 0, "
            "present, AVL 1, G 1");
  EXPECT_FALSE(std::get<Code64>(decode_descriptor(0x00AF9A000000FFFF, 0, kIa32e)).accessed);
  EXPECT_TRUE(std::get<Code64>(decode_descriptor(0x00AF9B000000FFFF, 0, kIa32e)).accessed);
  EXPECT_TRUE(decode_descriptor(0x00209A0000000000, 0, kIa32e) == Descriptor{Code64{}})
      << "G has no meaning in 64-bit code";
}

TEST(DescriptorTest, SegmentsThatDifferOnlyInAccessedAreEqual) {
  EXPECT_TRUE(decode_descriptor(0x00CF9A000000FFFF, 0, kLegacy) == Descriptor{Code32{}});
  EXPECT_TRUE(decode_descriptor(0x00CF92000000FFFF, 0, kLegacy) == Descriptor{Data32{}});
}

TEST(DescriptorTest, ALimitInTheWrongUnitShows) {
  // Meant to be 4 GiB, but without G.
  EXPECT_EQ(to_string(decode_descriptor(0x004F9B000000FFFF, 0, kLegacy)),
            "32-bit code segment, base 0x0, limit 0xfffff, readable, not conforming, DPL 0, "
            "present");
}

TEST(DescriptorTest, WhatTheSdmReservesIsReserved) {
  const auto is_reserved = [](std::uint64_t low, DescriptorFormat format) {
    return std::holds_alternative<ReservedDescriptor>(decode_descriptor(low, 0, format));
  };
  EXPECT_TRUE(is_reserved(0x00EF9B000000FFFF, kIa32e)) << "L and D";
  EXPECT_TRUE(is_reserved(0x0000800000000001, kLegacy)) << "type 0";
  EXPECT_TRUE(is_reserved(0x0000880000000001, kLegacy)) << "type 8";
  EXPECT_TRUE(is_reserved(0x00008A0000000001, kLegacy)) << "type 10";
  EXPECT_TRUE(is_reserved(0x00008D0000000001, kLegacy)) << "type 13";
  EXPECT_TRUE(is_reserved(0x0000810000000001, kIa32e)) << "a 16-bit TSS";
  EXPECT_TRUE(is_reserved(0x0000850000000001, kIa32e)) << "a task gate";
}

// The second half of a TSS, an LDT or a call gate has zeros where its type and S would be.
TEST(DescriptorTest, ASecondHalfWithATypeIsReserved) {
  for (const std::uint64_t type : {0x89ULL, 0x8BULL, 0x82ULL, 0x8CULL, 0x8EULL, 0x8FULL}) {
    const bool is_idt_gate = type >= 0x8E;
    const std::uint64_t low = type << 40U | 0x67;
    for (unsigned bit = 32; bit < 64; ++bit) {
      const Descriptor decoded = decode_descriptor(low, 1ULL << bit, kIa32e);
      EXPECT_EQ(std::holds_alternative<ReservedDescriptor>(decoded),
                !is_idt_gate && bit >= 40 && bit <= 44)
          << std::hex << type << " bit " << std::dec << bit;
    }
  }
}

std::string refusal(const Descriptor& descriptor, DescriptorFormat format) {
  return message_of<DescriptorError>([&] { (void)encode(descriptor, format); });
}

TEST(DescriptorTest, RefusesWhatNoBytesExpress) {
  EXPECT_EQ(
      refusal(Data32{.limit = 0x123456}, kLegacy),
      "a segment limit of 0x123456: over 0xfffff, or with G set, a limit counts 4 KiB and ends in "
      "0xfff");
  EXPECT_EQ(refusal(Code32{.dpl = 4}, kLegacy),
            "a descriptor's DPL of 0x4 does not fit: at most 0x3");
  EXPECT_THAT(refusal(Data32{.base = Gva{0x100000000}}, kIa32e), HasSubstr("base of 0x100000000"));
  EXPECT_THAT(refusal(InterruptGate16{.offset = 0x10000}, kLegacy), HasSubstr("offset of 0x10000"));
  EXPECT_THAT(refusal(InterruptGate32{.ist = 1}, kLegacy), HasSubstr("IST of 0x1"));
  EXPECT_THAT(refusal(CallGate32{.parameters = 32}, kLegacy), HasSubstr("parameter count of 0x20"));
  EXPECT_EQ(refusal(Tss32{}, kIa32e), "a 32-bit TSS does not exist in IA-32e mode");
  EXPECT_EQ(refusal(InterruptGate64{}, kLegacy),
            "a 64-bit interrupt gate does not exist outside IA-32e mode");
  EXPECT_THAT(refusal(IvtEntry{}, kLegacy), HasSubstr("only real mode has an IVT"));
  EXPECT_EQ(refusal(RawDescriptor{.low = 1, .high = 2}, kLegacy),
            "the raw descriptor 0x0000000000000001 has 8 bytes, and 0x0000000000000002 for the 8 "
            "after them");
  EXPECT_THAT(refusal(Ldt{.limit = 0x27, .granularity = true}, kLegacy), HasSubstr("with G set"));
}

// Any 16 bytes decode to something that can be printed, and what can be encoded again means the
// same.
TEST(DescriptorTest, AnyBytesDecode) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t low = random();
    const std::uint64_t high = random();
    for (const DescriptorFormat format : {kLegacy, kIa32e}) {
      const Descriptor decoded = decode_descriptor(low, high, format);
      ASSERT_FALSE(to_string(decoded).empty());
      const EncodedDescriptor again = encode(decoded, format);
      ASSERT_TRUE(decode_descriptor(again.low, again.high, format) == decoded)
          << std::hex << low << ": " << to_string(decoded);
    }
  }
}

// Only segments and call gates have a type in their second half.
TEST(DescriptorTest, AGateOfTheIdtHasNoUpperType) {
  constexpr std::uint64_t kUpperType = 0x1FULL << 40U;
  EXPECT_TRUE(decode_descriptor(0x00008E0000185678, kUpperType | 1, kIa32e) ==
                  (Descriptor{InterruptGate64{.selector = 0x18, .offset = 0x1'0000'5678}}) ||
              std::holds_alternative<InterruptGate64>(
                  decode_descriptor(0x00008E0000185678, kUpperType, kIa32e)));
  EXPECT_TRUE(std::holds_alternative<TrapGate64>(
      decode_descriptor(0x00008F0000185678, kUpperType, kIa32e)));
  EXPECT_TRUE(std::holds_alternative<ReservedDescriptor>(
      decode_descriptor(0x00008C0000185678, kUpperType, kIa32e)));
}

}  // namespace
