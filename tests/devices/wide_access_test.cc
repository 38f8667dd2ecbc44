// Accesses of 16 and 32 bits to the ports of a PC, whose devices but for the IDE's data have 8.
#include <gtest/gtest.h>

#include "../waiting_guest.h"
#include "bus/device_bus.h"
#include "devices/pc.h"

namespace hltest::internal {
namespace {

class WideAccessTest : public ::testing::Test {
 protected:
  WideAccessTest() {
    attach_pc(bus_, kMiB,
              {.next_key = [] { return std::nullopt; },
               .serial_input = []() -> const std::string& {
                 static const std::string none;
                 return none;
               },
               .disk = [this](unsigned device) { return device == 0 ? &disk_ : nullptr; }});
  }
  void out(Port port, std::uint64_t value, std::uint8_t size) {
    Access access = Access::out(port, size, value);
    EXPECT_TRUE(bus_.answer(access, guest_));
  }
  std::uint64_t in(Port port, std::uint8_t size) {
    Access access = Access::in(port, size, 0);
    EXPECT_TRUE(bus_.answer(access, guest_));
    return access.value;
  }

  Disk disk_{100};
  WaitingGuest guest_;
  DeviceBus bus_;
};

TEST_F(WideAccessTest, EachByteGoesToItsPort) {
  out(0x1F2, 0x3412, 2);
  EXPECT_EQ(in(0x1F2, 1), 0x12U);
  EXPECT_EQ(in(0x1F3, 1), 0x34U);
  EXPECT_EQ(in(0x1F2, 2), 0x3412U);
  out(0x1F2, 0xE4030201, 4);
  EXPECT_EQ(in(0x1F5, 1), 0xE4U);
  EXPECT_EQ(in(0x1F2, 4), 0xE4030201U);
}

TEST_F(WideAccessTest, AnIndexAndItsData) {
  out(0x3D4, 0x340E, 2);
  EXPECT_EQ(in(0x3D4, 2), 0x340EU);
  out(0x70, 0x9932, 2);
  out(0x70, 0x32, 1);
  EXPECT_EQ(in(0x71, 1), 0x99U);
}

TEST_F(WideAccessTest, TheInterruptControllersMask) {
  out(0x20, 0xFB0B, 2);
  EXPECT_EQ(in(0x21, 1), 0xFBU);
  EXPECT_EQ(in(0x20, 2), 0xFB00U);
}

TEST_F(WideAccessTest, APortThatNobodyHasReadsOnes) {
  EXPECT_EQ(in(0x21, 2) >> 8U, 0xFFU);
  EXPECT_EQ(in(0x71, 4) >> 8U, 0xFF'FFFFU);
}

// IDENTIFY DEVICE: the first words.
TEST_F(WideAccessTest, TheDataOfIdeAreWords) {
  out(0x1F7, 0xEC, 1);
  EXPECT_EQ(in(0x1F0, 2), 0x0040U);
  EXPECT_EQ(in(0x1F0, 2), disk_.geometry().cylinders);
}

// HOB of the device control register shows the byte that was written before the last.
TEST_F(WideAccessTest, TheBytesOfA48BitCommandAreReadBack) {
  out(0x1F3, 0x12, 1);
  out(0x1F3, 0x34, 1);
  EXPECT_EQ(in(0x1F3, 1), 0x34U);
  out(0x3F6, 0x80, 1);
  EXPECT_EQ(in(0x1F3, 1), 0x12U);
  out(0x1F2, 1, 1);
  EXPECT_EQ(in(0x1F3, 1), 0x34U) << "a write to another register ends that";
}

}  // namespace
}  // namespace hltest::internal
