// Images are values: copies share the bytes, and what they are changed to is their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/image.h>

#include "guests/every_mode.h"
#include "guests/real_mode.h"
#include "guests/real_mode_at_64k.h"

namespace {

using namespace hltest;

TEST(ImageTest, LinkedImagesAreLoadedWhereTheBuildSays) {
  EXPECT_EQ(guests::add_digits_newline.load_address(), kLoadAddress);
  EXPECT_EQ(guests::add_digits_newline.entry(), Gva{kLoadAddress.value()});
  EXPECT_EQ(guests::add_digits_newline.name(), "add_digits_newline");
  EXPECT_EQ(guests::count_to_port.load_address(), Gpa{0x10000});
}

TEST(ImageTest, ChangedCopiesLeaveTheOriginalAlone) {
  const RealModeImage moved = guests::add_digits_newline.loaded_at(Gpa{0x7C00});
  EXPECT_EQ(moved.load_address(), Gpa{0x7C00});
  EXPECT_EQ(moved.entry(), Gva{0x7C00}) << "the entry moves along";
  EXPECT_EQ(moved.entered_at(Gva{0x7C02}).loaded_at(Gpa{0x8000}).entry(), Gva{0x7C02});
  EXPECT_EQ(guests::add_digits_newline.load_address(), kLoadAddress);
  EXPECT_EQ(moved.bytes().data(), guests::add_digits_newline.bytes().data());
}

TEST(ImageTest, BytesMadeAtRunTimeLiveAsLongAsACopy) {
  FlatImage copy{"", std::vector<std::uint8_t>{}};
  {
    const RealModeImage image{"made", {0x90, 0xF4}};
    copy = image;
  }
  EXPECT_EQ(copy.name(), "made");
  EXPECT_THAT(copy.bytes(), ::testing::ElementsAre(0x90, 0xF4));
}

TEST(ImageTest, WithOtherBytesKeepsNameAndSource) {
  const std::vector<std::uint8_t> other{0xCC, 0xCD};
  FlatImage copy{"", std::vector<std::uint8_t>{}};
  {
    const RealModeImage image{
        "made",
        {0x90, 0xF4},
        kLoadAddress,
        {"made.asm", "     1 00000000 90F4                      dw 0xF490\n"}};
    copy = image.with_bytes(0, other).with_bytes(4, other);
    EXPECT_THAT(image.bytes(), ::testing::ElementsAre(0x90, 0xF4)) << "the original stays";
  }
  EXPECT_EQ(copy.name(), "made");
  EXPECT_THAT(copy.bytes(), ::testing::ElementsAre(0xCC, 0xCD, 0, 0, 0xCC, 0xCD));
  ASSERT_TRUE(copy.source_map().line_at(1).has_value());
  EXPECT_EQ(copy.source_map().line_at(1)->file, "made.asm");

  const FlatImage linked = guests::add_digits_newline.with_bytes(1, other);
  EXPECT_EQ(linked.name(), "add_digits_newline");
  EXPECT_EQ(linked.bytes()[0], guests::add_digits_newline.bytes()[0]);
  EXPECT_EQ(linked.bytes()[2], 0xCD);
  EXPECT_EQ(linked.source_map().line_at(0), guests::add_digits_newline.source_map().line_at(0));
}

TEST(ImageTest, ASetHasAnImageForEachMode) {
  EXPECT_THAT(guests::add.in<CpuMode::kReal16>().bytes(), ::testing::ElementsAre(0x01, 0xD8, 0xF4));
  EXPECT_THAT(guests::add.in<CpuMode::kLong64>().bytes(),
              ::testing::ElementsAre(0x66, 0x01, 0xD8, 0xF4));
}

}  // namespace
