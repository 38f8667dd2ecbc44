// Descriptors and gates, against values worked out by hand from the SDM's figures.
#include <gtest/gtest.h>
#include <hltest/x86/segment.h>

namespace {

using namespace hltest;

TEST(SegmentTest, DescriptorsOfFlatSegments) {
  EXPECT_EQ(descriptor(Segment::flat_code32(0x08)), 0x00CF9B000000FFFFU);
  EXPECT_EQ(descriptor(Segment::flat_data(0x10)), 0x00CF93000000FFFFU);
  EXPECT_EQ(descriptor(Segment::code64(0x18)), 0x00AF9B000000FFFFU);
  EXPECT_EQ(descriptor(Segment::flat_code32(0x2B)), 0x00CFFB000000FFFFU) << "DPL 3";
}

TEST(SegmentTest, DescriptorOfATssScattersBaseAndLimit) {
  EXPECT_EQ(descriptor(Segment::task_state(0x40, Gva{0xF1234567}, 103)), 0xF1008B2345670067U);
}

TEST(SegmentTest, ByteGranularLimit) {
  const Segment segment{.selector = 8, .base = Gva{0x10}, .limit = 0xABCDE, .type = 0x2};
  EXPECT_EQ(descriptor(segment), 0x000A92000010BCDEU);
}

TEST(SegmentTest, DecodingIsTheInverse) {
  for (const Segment& segment :
       {Segment::flat_code32(0x08), Segment::flat_data(0x33), Segment::code64(0x3B),
        Segment::task_state(0x40, Gva{0xF1234567}, 103),
        Segment{.selector = 8, .base = Gva{0x10}, .limit = 0xABCDE, .type = 0x2, .avl = true},
        Segment{.selector = 8, .present = false}}) {
    EXPECT_EQ(segment_from_descriptor(descriptor(segment), segment.selector), segment);
  }
}

TEST(SegmentTest, RealModeLoad) {
  const Segment segment = Segment::real_mode(0x1234);
  EXPECT_EQ(segment.base, Gva{0x12340});
  EXPECT_EQ(segment.limit, 0xFFFFU);
}

TEST(SegmentTest, TaskRegisters) {
  EXPECT_EQ(Segment::task_state(0x28, Gva{0x5000}, 103).type, 0xB);
  const Segment of_16_bits = Segment::task_state16(0x28, Gva{0x5000}, 43);
  EXPECT_EQ(of_16_bits.type, 0x3);
  EXPECT_FALSE(of_16_bits.s);
  EXPECT_EQ(of_16_bits.base, Gva{0x5000});
  EXPECT_EQ(of_16_bits.limit, 43U);
}

}  // namespace
