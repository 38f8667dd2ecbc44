// The largest value that each field of a descriptor can have, and the first that it can't; which
// forms each format has; every type of a system descriptor.
#include <gmock/gmock.h>
#include <hltest/x86/descriptor.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr DescriptorFormat kLegacy = DescriptorFormat::kLegacy;
constexpr DescriptorFormat kIa32e = DescriptorFormat::kIa32e;

std::string form(const Descriptor& descriptor) { return describe_fields(descriptor).front().value; }

struct FieldCase {
  Descriptor largest;
  Descriptor beyond;
  DescriptorFormat format;
  const char* field;
};

const std::vector<FieldCase>& fields() {
  static constexpr Gva kTop{0xFFFF'FFFF};
  static constexpr Gva kBeyond{0x1'0000'0000};
  static const std::vector<FieldCase> all = {
      {Code16{.dpl = 3}, Code16{.dpl = 4}, kLegacy, "DPL"},
      {Code32{.dpl = 3}, Code32{.dpl = 4}, kLegacy, "DPL"},
      {Code64{.dpl = 3}, Code64{.dpl = 4}, kIa32e, "DPL"},
      {Data16{.dpl = 3}, Data16{.dpl = 4}, kLegacy, "DPL"},
      {Data32{.dpl = 3}, Data32{.dpl = 4}, kLegacy, "DPL"},
      {Ldt{.dpl = 3}, Ldt{.dpl = 4}, kLegacy, "DPL"},
      {Tss16{.dpl = 3}, Tss16{.dpl = 4}, kLegacy, "DPL"},
      {Tss32{.dpl = 3}, Tss32{.dpl = 4}, kLegacy, "DPL"},
      {Tss64{.dpl = 3}, Tss64{.dpl = 4}, kIa32e, "DPL"},
      {CallGate32{.dpl = 3}, CallGate32{.dpl = 4}, kLegacy, "DPL"},
      {InterruptGate64{.dpl = 3}, InterruptGate64{.dpl = 4}, kIa32e, "DPL"},
      {TrapGate32{.dpl = 3}, TrapGate32{.dpl = 4}, kLegacy, "DPL"},
      {TaskGate{.dpl = 3}, TaskGate{.dpl = 4}, kLegacy, "DPL"},
      {Code16{.base = kTop}, Code16{.base = kBeyond}, kLegacy, "base"},
      {Code32{.base = kTop}, Code32{.base = kBeyond}, kLegacy, "base"},
      {Data16{.base = kTop}, Data16{.base = kBeyond}, kLegacy, "base"},
      {Data32{.base = kTop}, Data32{.base = kBeyond}, kLegacy, "base"},
      {Ldt{.base = kTop}, Ldt{.base = kBeyond}, kLegacy, "base"},
      {Tss16{.base = kTop}, Tss16{.base = kBeyond}, kLegacy, "base"},
      {Tss32{.base = kTop}, Tss32{.base = kBeyond}, kLegacy, "base"},
      {CallGate16{.parameters = 31}, CallGate16{.parameters = 32}, kLegacy, "parameter count"},
      {CallGate32{.parameters = 31}, CallGate32{.parameters = 32}, kLegacy, "parameter count"},
      {CallGate64{.parameters = 0}, CallGate64{.parameters = 1}, kIa32e, "parameter count"},
      {InterruptGate16{.ist = 0}, InterruptGate16{.ist = 1}, kLegacy, "IST"},
      {InterruptGate32{.ist = 0}, InterruptGate32{.ist = 1}, kLegacy, "IST"},
      {InterruptGate64{.ist = 7}, InterruptGate64{.ist = 8}, kIa32e, "IST"},
      {TrapGate16{.ist = 0}, TrapGate16{.ist = 1}, kLegacy, "IST"},
      {TrapGate32{.ist = 0}, TrapGate32{.ist = 1}, kLegacy, "IST"},
      {TrapGate64{.ist = 7}, TrapGate64{.ist = 8}, kIa32e, "IST"},
      {CallGate16{.offset = 0xFFFF}, CallGate16{.offset = 0x1'0000}, kLegacy, "offset"},
      {InterruptGate16{.offset = 0xFFFF}, InterruptGate16{.offset = 0x1'0000}, kLegacy, "offset"},
      {TrapGate16{.offset = 0xFFFF}, TrapGate16{.offset = 0x1'0000}, kLegacy, "offset"},
      {CallGate32{.offset = kTop.value()}, CallGate32{.offset = kBeyond.value()}, kLegacy,
       "offset"},
      {InterruptGate32{.offset = kTop.value()}, InterruptGate32{.offset = kBeyond.value()}, kLegacy,
       "offset"},
      {TrapGate32{.offset = kTop.value()}, TrapGate32{.offset = kBeyond.value()}, kLegacy,
       "offset"},
  };
  return all;
}

TEST(DescriptorLimitsTest, EachFieldHasALargestValue) {
  for (const FieldCase& each : fields()) {
    SCOPED_TRACE(form(each.largest));
    const EncodedDescriptor encoded = encode(each.largest, each.format);
    EXPECT_TRUE(decode_descriptor(encoded.low, encoded.high, each.format) == each.largest);
    EXPECT_THAT(message_of<DescriptorError>([&] { (void)encode(each.beyond, each.format); }),
                HasSubstr(std::string{"a descriptor's "} + each.field + " of "));
  }
}

TEST(DescriptorLimitsTest, SystemDescriptorsOfIa32eModeHoldWholeAddresses) {
  constexpr Gva kLast{~0ULL};
  for (const Descriptor& each :
       {Descriptor{Tss64{.base = kLast}}, Descriptor{Ldt{.base = kLast}},
        Descriptor{CallGate64{.offset = ~0ULL}}, Descriptor{InterruptGate64{.offset = ~0ULL}},
        Descriptor{TrapGate64{.offset = ~0ULL}}}) {
    const EncodedDescriptor encoded = encode(each, kIa32e);
    EXPECT_TRUE(encoded.is_16_bytes) << form(each);
    EXPECT_TRUE(decode_descriptor(encoded.low, encoded.high, kIa32e) == each) << form(each);
  }
}

TEST(DescriptorLimitsTest, ALimitCounts4KiBAbove0xfffff) {
  constexpr std::uint64_t kG = 1ULL << 55U;
  const auto has_g = [](std::uint32_t limit) {
    return (encode(Data32{.limit = limit}, kLegacy).low & kG) != 0;
  };
  EXPECT_FALSE(has_g(0xF'FFFF));
  EXPECT_FALSE(has_g(0xF'FFFE)) << "any number of bytes";
  EXPECT_TRUE(has_g(0x10'0FFF));
  for (const std::uint32_t limit : {0x10'0000U, 0x10'0FFEU, 0x10'1000U, 0xFFFF'FFFEU}) {
    EXPECT_THAT(message_of<DescriptorError>([=] { (void)has_g(limit); }),
                HasSubstr("ends in 0xfff"))
        << std::hex << limit;
  }
  EXPECT_NO_THROW((void)encode(Ldt{.limit = 0xFFF, .granularity = true}, kLegacy));
  EXPECT_NO_THROW((void)encode(Data32{.limit = 0, .granularity = false}, kLegacy));
}

TEST(DescriptorLimitsTest, AFormExistsInItsFormatOnly) {
  const Descriptor legacy[] = {Tss16{},      Tss32{},           CallGate16{},
                               CallGate32{}, InterruptGate16{}, TrapGate16{},
                               TrapGate32{}, InterruptGate32{}, TaskGate{}};
  for (const Descriptor& each : legacy) {
    EXPECT_NO_THROW((void)encode(each, kLegacy)) << form(each);
    EXPECT_THAT(message_of<DescriptorError>([&] { (void)encode(each, kIa32e); }),
                HasSubstr(form(each) + " does not exist in IA-32e mode"));
  }
  const Descriptor ia32e[] = {Tss64{}, CallGate64{}, InterruptGate64{}, TrapGate64{}};
  for (const Descriptor& each : ia32e) {
    EXPECT_NO_THROW((void)encode(each, kIa32e)) << form(each);
    EXPECT_THAT(message_of<DescriptorError>([&] { (void)encode(each, kLegacy); }),
                HasSubstr(form(each) + " does not exist outside IA-32e mode"));
  }
}

// SDM vol. 3, table 3-2.
TEST(DescriptorLimitsTest, EveryTypeOfASystemDescriptor) {
  constexpr const char* kForms[][2] = {{"reserved", "reserved"},
                                       {"16-bit TSS", "reserved"},
                                       {"LDT", "LDT"},
                                       {"16-bit TSS", "reserved"},
                                       {"16-bit call gate", "reserved"},
                                       {"task gate", "reserved"},
                                       {"16-bit interrupt gate", "reserved"},
                                       {"16-bit trap gate", "reserved"},
                                       {"reserved", "reserved"},
                                       {"32-bit TSS", "64-bit TSS"},
                                       {"reserved", "reserved"},
                                       {"32-bit TSS", "64-bit TSS"},
                                       {"32-bit call gate", "64-bit call gate"},
                                       {"reserved", "reserved"},
                                       {"32-bit interrupt gate", "64-bit interrupt gate"},
                                       {"32-bit trap gate", "64-bit trap gate"}};
  for (std::uint64_t type = 0; type < 16; ++type) {
    const std::uint64_t low = (0x80 | type) << 40U | 0x67;
    EXPECT_EQ(form(decode_descriptor(low, 0, kLegacy)), kForms[type][0]) << type;
    EXPECT_EQ(form(decode_descriptor(low, 0, kIa32e)), kForms[type][1]) << type;
    EXPECT_FALSE(has_16_bytes(low, kLegacy)) << type;
    EXPECT_TRUE(has_16_bytes(low, kIa32e)) << type;
  }
  EXPECT_FALSE(has_16_bytes(0, kIa32e)) << "the null descriptor";
  EXPECT_FALSE(has_16_bytes(0x00AF'9B00'0000'FFFF, kIa32e)) << "a segment";
}

TEST(DescriptorLimitsTest, TheTypeSaysWhetherATssIsBusy) {
  const auto is_busy = [](std::uint64_t type, DescriptorFormat format) {
    return to_string(decode_descriptor((0x80 | type) << 40U | 0x67, 0, format));
  };
  EXPECT_THAT(is_busy(1, kLegacy), HasSubstr(", not busy,"));
  EXPECT_THAT(is_busy(3, kLegacy), HasSubstr(", busy,"));
  EXPECT_THAT(is_busy(9, kLegacy), HasSubstr(", not busy,"));
  EXPECT_THAT(is_busy(11, kLegacy), HasSubstr(", busy,"));
  EXPECT_THAT(is_busy(9, kIa32e), HasSubstr(", not busy,"));
  EXPECT_THAT(is_busy(11, kIa32e), HasSubstr(", busy,"));
}

}  // namespace
