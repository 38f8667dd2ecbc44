// The timer's counters, as a guest programs and reads them.
#include "devices/pit.h"

#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "wired.h"

namespace hltest::internal {
namespace {

class PitTest : public ::testing::Test {
 protected:
  void program(std::uint8_t control, std::uint16_t count, Port port = 0x40) {
    wired_.out(0x43, control);
    wired_.out(port, count & 0xFFU);
    wired_.out(port, count >> 8U);
  }
  std::uint64_t read(Port port = 0x40) {
    const std::uint64_t low = wired_.in(port);
    return low | wired_.in(port) << 8U;
  }
  Pit pit_{std::make_shared<Pic>()};
  Wired wired_{pit_};
};

TEST_F(PitTest, CountsDownWithEachRead) {
  program(0x34, 0x1000);
  EXPECT_EQ(read(), 0x1000U - 64);
  EXPECT_EQ(read(), 0x1000U - 128);
}

TEST_F(PitTest, StaysBelowItsReloadValue) {
  program(0x34, 100);
  for (int i = 0; i < 50; ++i) EXPECT_LT(read(), 100U);
}

TEST_F(PitTest, ALatchedCountStaysUntilItWasRead) {
  program(0x34, 0x1000);
  wired_.out(0x43, 0x00);
  wired_.out(0x43, 0x00);  // ignored: the first was not read
  EXPECT_EQ(read(), 0x0FFFU);
  EXPECT_EQ(read(), 0x0FFFU - 64) << "it counts again";
}

TEST_F(PitTest, OneByteOfTwo) {
  wired_.out(0x43, 0x14);  // the low one
  wired_.out(0x40, 0x80);
  EXPECT_EQ(wired_.in(0x40), 0x40U);
  EXPECT_EQ(wired_.in(0x40), 0x00U);
  wired_.out(0x43, 0x24);  // the high one
  wired_.out(0x40, 0x80);
  EXPECT_EQ(wired_.in(0x40), 0x7FU);
}

TEST_F(PitTest, ChannelsAreApart) {
  program(0x34, 0x1000);
  program(0xB6, 0x2000, 0x42);
  EXPECT_EQ(read(0x42), 0x2000U - 64);
  EXPECT_EQ(read(), 0x1000U - 64);
}

// 8254 data sheet: bit 5 clear latches counts, bit 4 clear the status, bits 1 to 3 choose channels.
TEST_F(PitTest, TheReadBackCommand) {
  program(0x34, 0x1000);
  program(0xB6, 0x2000, 0x42);
  wired_.out(0x43, 0xC2);  // status and count of channel 0
  EXPECT_EQ(wired_.in(0x40), 0xB4U) << "low and high byte, mode 2";
  EXPECT_EQ(read(), 0x0FFFU);
  wired_.out(0x43, 0xE8);  // the status of channel 2
  EXPECT_EQ(wired_.in(0x42), 0xB6U);
  EXPECT_EQ(read(0x42), 0x2000U - 64) << "no count was latched";
  EXPECT_EQ(read(), 0x0FFFU - 64) << "nor channel 0's status";
}

}  // namespace
}  // namespace hltest::internal
