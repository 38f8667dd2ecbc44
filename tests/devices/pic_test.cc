// The interrupt controllers, as a guest programs them.
#include "devices/pic.h"

#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "wired.h"

namespace hltest::internal {
namespace {

class PicTest : public ::testing::Test {
 protected:
  void out(Port port, std::uint8_t value) { wired_.out(port, value); }
  std::uint64_t in(Port port) { return wired_.in(port); }
  // Delivers what is requested.
  std::optional<Vector> take() {
    const auto vector = pic_.interrupt();
    if (vector) pic_.acknowledge(*vector);
    return vector;
  }

  Pic pic_;
  Wired wired_{pic_};
};

TEST_F(PicTest, IsAsABiosLeavesIt) {
  EXPECT_EQ(take(), std::nullopt);
  pic_.raise(0);
  EXPECT_EQ(take(), Vector{8});
  out(0x20, 0x20);
  pic_.raise(9);
  EXPECT_EQ(take(), Vector{0x71});
}

TEST_F(PicTest, AnInterruptInServiceHoldsOffItselfAndThoseBelow) {
  pic_.raise(1);
  EXPECT_EQ(take(), Vector{9});
  pic_.raise(1);
  pic_.raise(3);
  EXPECT_EQ(take(), std::nullopt);
  pic_.raise(0);
  EXPECT_EQ(take(), Vector{8}) << "a higher one comes through";
  out(0x20, 0x20);
  EXPECT_EQ(take(), std::nullopt) << "1 is still in service";
  out(0x20, 0x20);
  EXPECT_EQ(take(), Vector{9});
  out(0x20, 0x61);  // a specific end: of line 1
  EXPECT_EQ(take(), Vector{0x0B});
}

TEST_F(PicTest, ARequestIsKeptWhileItIsMasked) {
  out(0x21, 0x01);
  EXPECT_EQ(in(0x21), 0x01U);
  pic_.raise(0);
  EXPECT_EQ(take(), std::nullopt);
  out(0x21, 0x00);
  EXPECT_EQ(take(), Vector{8});
}

TEST_F(PicTest, TheSecondIsBehindLine2) {
  pic_.raise(8);
  EXPECT_EQ(take(), Vector{0x70});
  pic_.raise(3);
  EXPECT_EQ(take(), std::nullopt) << "line 2 is in service";
  pic_.raise(1);
  EXPECT_EQ(take(), Vector{9});
  out(0x20, 0x20);
  out(0xA0, 0x20);
  EXPECT_EQ(take(), std::nullopt) << "the first controller has had one end";
  out(0x20, 0x20);
  EXPECT_EQ(take(), Vector{0x0B});
  out(0x20, 0x20);
  out(0x21, 0x04);
  pic_.raise(8);
  EXPECT_EQ(take(), std::nullopt) << "line 2 is masked";
}

TEST_F(PicTest, InitialisationMovesTheVectors) {
  for (const auto& [port, value] :
       {std::pair{0x20, 0x11}, {0x21, 0x25}, {0x21, 4}, {0x21, 1}, {0x21, 0xFC}}) {
    out(static_cast<Port>(port), static_cast<std::uint8_t>(value));
  }
  EXPECT_EQ(pic_.vector_of(1), Vector{0x21}) << "the low bits of ICW2 do not count";
  EXPECT_EQ(in(0x21), 0xFCU) << "after the words comes the mask";
  pic_.raise(0);
  pic_.raise(4);
  EXPECT_EQ(take(), Vector{0x20});
  out(0x20, 0x20);
  EXPECT_EQ(take(), std::nullopt);
}

TEST_F(PicTest, AutomaticEnds) {
  for (const auto& [port, value] : {std::pair{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 3}}) {
    out(static_cast<Port>(port), static_cast<std::uint8_t>(value));
  }
  pic_.raise(0);
  EXPECT_EQ(take(), Vector{0x20});
  pic_.raise(0);
  EXPECT_EQ(take(), Vector{0x20});
}

TEST_F(PicTest, TellsRequestsAndServices) {
  pic_.raise(0);
  pic_.raise(4);
  EXPECT_EQ(in(0x20), 0x11U);
  take();
  EXPECT_EQ(in(0x20), 0x10U);
  out(0x20, 0x0B);
  EXPECT_EQ(in(0x20), 0x01U) << "OCW3 asks for those in service";
  out(0x20, 0x0A);
  EXPECT_EQ(in(0x20), 0x10U);
}

TEST_F(PicTest, ItsStateIsSavedAndRestored) {
  const auto before = pic_.save();
  pic_.raise(0);
  out(0x21, 0xFE);
  Pic other;
  other.restore(pic_.save());
  EXPECT_EQ(other.interrupt(), Vector{8});
  pic_.restore(before);
  EXPECT_EQ(pic_.interrupt(), std::nullopt);
}

TEST_F(PicTest, AnOcw3ThatAsksForNothingLeavesWhatIsRead) {
  pic_.raise(0);
  take();
  out(0x20, 0x0B);
  EXPECT_EQ(in(0x20), 0x01U);
  out(0x20, 0x68);  // special mask mode; RR is 0
  EXPECT_EQ(in(0x20), 0x01U);
}

}  // namespace
}  // namespace hltest::internal
