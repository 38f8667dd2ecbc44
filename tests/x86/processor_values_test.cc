// CPUID edits, the SSE state, stack addresses and segments made by name: their limits and fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/error.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/cpuid.h>
#include <hltest/x86/xstate.h>

#include <stdexcept>

#include "../message_of.h"

namespace {

using namespace hltest;

TEST(CpuidEditsTest, ARegisterHas32Bits) {
  CpuidEdits edits;
  const CpuidFeature last{.leaf = {7, 1}, .where = &CpuidRegisters::ecx, .bit = 31};
  const CpuidFeature beyond{.leaf = {7, 1}, .where = &CpuidRegisters::ecx, .bit = 32};
  EXPECT_NO_THROW(edits.hide(last));
  EXPECT_NO_THROW(edits.show(last));
  EXPECT_EQ(message_of<SetupError>([&] { edits.hide(beyond); }),
            "bit 32 of CPUID leaf 0x7: a register has 32");
  EXPECT_THROW(edits.show(beyond), SetupError);
  EXPECT_EQ(edits.describe(), "leaf 0x7.1, leaf 0x7.1");
}

TEST(CpuidEditsTest, EightOfThemAreNamed) {
  CpuidEdits edits;
  std::string text;
  for (std::uint32_t leaf = 1; leaf <= 8; ++leaf) {
    edits.replace({leaf}, {});
    text += (leaf == 1 ? "leaf 0x" : ", leaf 0x") + std::to_string(leaf) + ".0";
  }
  EXPECT_EQ(edits.describe(), text);
  edits.mask({9}, {});
  EXPECT_EQ(edits.describe(), text + ", ...");
}

TEST(XStateTest, ThereAreXmm0ToXmm15) {
  XState state;
  std::array<std::uint8_t, 16> value{};
  for (unsigned index = 0; index < 16; ++index) {
    value.fill(static_cast<std::uint8_t>(index + 1));
    state.set_xmm(index, value);
  }
  for (unsigned index = 0; index < 16; ++index) {
    EXPECT_THAT(state.xmm(index), ::testing::Each(index + 1));
  }
  EXPECT_THROW((void)state.xmm(16), std::out_of_range);
  EXPECT_THROW(state.set_xmm(16, value), std::out_of_range);
  // SDM vol. 1, table 10-2: XMM0 is at 160, and 16 of them end at 416; XSTATE_BV is at 512.
  EXPECT_EQ(state.area[159], 0);
  EXPECT_EQ(state.area[160], 1);
  EXPECT_EQ(state.area[415], 16);
  EXPECT_EQ(state.area[416], 0);
  EXPECT_EQ(state.area[512], 3) << "x87 and SSE";
}

// SDM vol. 3, table 10-1.
TEST(XStateTest, StartsAsAfterReset) {
  const XState state = XState::initial();
  EXPECT_EQ(state.fcw(), 0x37F);
  EXPECT_EQ(state.mxcsr(), 0x1F80U);
  EXPECT_EQ(state.area[512], 3);
}

TEST(StackAddressTest, FollowsFromTheModeAndTheStackSegment) {
  Registers registers;
  registers.rsp = 0x1'2345'6789;
  registers.ss.base = Gva{0xFFFF'0000};
  EXPECT_EQ(stack_address(registers), Gva{0xFFFF'6789}) << "a 16-bit stack";
  registers.cr0.value = Cr0::kPe;
  registers.ss.db = true;
  EXPECT_EQ(stack_address(registers), Gva{0x2344'6789}) << "a 32-bit stack, which wraps at 4 GiB";
  registers.efer.value = Efer::kLma;
  EXPECT_EQ(stack_address(registers), Gva{0x2344'6789}) << "compatibility mode";
  registers.cs.l = true;
  EXPECT_EQ(stack_address(registers), Gva{0x1'2345'6789}) << "64-bit code";
}

TEST(CpuModeTest, OnlyCpl3IsUserAndRealModeHasNone) {
  Registers registers;
  registers.cr0.value = Cr0::kPe;
  for (std::uint8_t cpl = 0; cpl < 4; ++cpl) {
    registers.ss.dpl = cpl;
    EXPECT_EQ(mode_name(registers), cpl == 3 ? "protected16_user" : "protected16");
  }
  registers.cr0.value = 0;
  EXPECT_EQ(mode_name(registers), "real16");
}

TEST(SegmentTest, FieldsOfSegmentsMadeByName) {
  const Segment unreal = Segment::unreal_mode(0xFFFF);
  EXPECT_EQ(
      unreal,
      (Segment{
          .selector = 0xFFFF, .base = Gva{0xF'FFF0}, .limit = 0xFFFF'FFFF, .granularity = true}));
  EXPECT_EQ(Segment::real_mode(0xFFFF), (Segment{.selector = 0xFFFF, .base = Gva{0xF'FFF0}}));
  EXPECT_EQ(Segment::flat_data(0x11).dpl, 1);
  EXPECT_EQ(Segment::flat_data(0x11).type, 3);
  EXPECT_EQ(Segment::flat_code32(0x12).dpl, 2);
  EXPECT_EQ(Segment::flat_code32(0x12).type, 0xB);
  const Segment none = Segment::null_ldt();
  EXPECT_TRUE(none.unusable);
  EXPECT_FALSE(none.present);
  EXPECT_FALSE(none.s);
  EXPECT_EQ(none.type, 2);
}

// SDM vol. 3, figure 3-8: each bit of a descriptor is part of one field.
TEST(SegmentTest, EachBitOfADescriptorIsAField) {
  const Segment none = segment_from_descriptor(0, 0);
  for (unsigned bit = 0; bit < 64; ++bit) {
    const Segment one = segment_from_descriptor(1ULL << bit, 0);
    Segment expected = none;
    if (bit < 16) expected.limit = 1U << bit;
    if (bit >= 16 && bit < 40) expected.base = Gva{1ULL << (bit - 16)};
    if (bit >= 40 && bit < 44) expected.type = static_cast<std::uint8_t>(1U << (bit - 40));
    expected.s = bit == 44;
    if (bit == 45 || bit == 46) expected.dpl = static_cast<std::uint8_t>(bit - 44);
    expected.present = bit == 47;
    if (bit >= 48 && bit < 52) expected.limit = 1U << (bit - 32);
    expected.avl = bit == 52;
    expected.l = bit == 53;
    expected.db = bit == 54;
    expected.granularity = bit == 55;
    if (bit == 55) expected.limit = 0xFFF;
    if (bit >= 56) expected.base = Gva{1ULL << (bit - 32)};
    EXPECT_EQ(one, expected) << bit;
    EXPECT_EQ(descriptor(one), 1ULL << bit);
  }
}

}  // namespace
