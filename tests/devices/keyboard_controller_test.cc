// The keyboard controller: keys with their codes, and the commands that drivers begin with.
#include "devices/keyboard_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "wired.h"

namespace hltest::internal {
namespace {

using ::testing::ElementsAre;

class KeyboardControllerTest : public ::testing::Test {
 protected:
  KeyboardControllerTest() {
    wired_.guest.registers_.rflags.set(Rflags::kIf, true);  // and it has a handler for vector 9
  }
  // What a handler reads, interrupt by interrupt.
  std::vector<std::uint64_t> codes(unsigned interrupts) {
    std::vector<std::uint64_t> codes;
    for (unsigned i = 0; i < interrupts; ++i) {
      controller_.halted(wired_.guest);
      if (!pic_->interrupt()) break;
      pic_->acknowledge(*pic_->interrupt());
      codes.push_back(wired_.in(0x60));
      pic_->end_of_interrupt(1);
    }
    return codes;
  }
  // What the keyboard answers to a byte, as long as the status tells that there is more.
  std::vector<std::uint64_t> answers() {
    std::vector<std::uint64_t> answers;
    while ((wired_.in(0x64) & 1U) != 0) answers.push_back(wired_.in(0x60));
    return answers;
  }
  std::vector<std::uint64_t> answers_to(std::uint8_t byte) {
    wired_.out(0x60, byte);
    return answers();
  }

  std::deque<KeyStroke> typed_;
  std::shared_ptr<Pic> pic_ = std::make_shared<Pic>();
  KeyboardController controller_{pic_, [this]() -> std::optional<KeyStroke> {
                                   if (typed_.empty()) return std::nullopt;
                                   const KeyStroke next = typed_.front();
                                   typed_.pop_front();
                                   return next;
                                 }};
  Wired wired_{controller_};
};

TEST_F(KeyboardControllerTest, AKeyIsPressedAndReleased) {
  typed_ = {{.scan_code = 0x1E}, {.scan_code = 0x30, .with_shift = true}, {.scan_code = 0x2C}};
  EXPECT_THAT(codes(100), ElementsAre(0x1E, 0x9E, 0x2A, 0x30, 0xB0, 0xAA, 0x2C, 0xAC));
}

TEST_F(KeyboardControllerTest, ItTellsOfAPressThatIsToCome) {
  typed_ = {{.scan_code = 0x30, .with_shift = true}};
  EXPECT_FALSE(controller_.is_about_to_press());
  controller_.halted(wired_.guest);
  EXPECT_TRUE(controller_.is_about_to_press()) << "after Shift";
  EXPECT_FALSE(controller_.has_press());
  wired_.in(0x60);
  controller_.halted(wired_.guest);
  EXPECT_TRUE(controller_.has_press());
  controller_.take_press();
  EXPECT_FALSE(controller_.is_about_to_press());
  EXPECT_THAT(answers(), ElementsAre()) << "the rest of it is gone";
}

TEST_F(KeyboardControllerTest, TheKeyboardAnswers) {
  EXPECT_THAT(answers_to(0xEE), ElementsAre(0xEE));
  EXPECT_THAT(answers_to(0xF2), ElementsAre(0xFA, 0xAB, 0x83));
  EXPECT_THAT(answers_to(0xFF), ElementsAre(0xFA, 0xAA));
  EXPECT_THAT(answers_to(0xF4), ElementsAre(0xFA));
}

TEST_F(KeyboardControllerTest, TheControllerAnswers) {
  const auto command = [this](std::uint8_t byte) {
    wired_.out(0x64, byte);
    return answers();
  };
  EXPECT_THAT(command(0xAA), ElementsAre(0x55));
  EXPECT_THAT(command(0xAB), ElementsAre(0));
  EXPECT_THAT(command(0xC0), ElementsAre(0x80));
  EXPECT_THAT(command(0x20), ElementsAre(0x41));
  EXPECT_THAT(command(0xD2), ElementsAre());
  EXPECT_THAT(answers_to(0x5A), ElementsAre(0x5A)) << "as if the keyboard had sent it";
  EXPECT_THAT(command(0x60), ElementsAre());
  EXPECT_THAT(answers_to(0x45), ElementsAre());
  EXPECT_THAT(command(0x20), ElementsAre(0x45));
}

// Whoever closes it: the output port has no state of its own for the gate.
TEST_F(KeyboardControllerTest, TheOutputPortHasTheA20Gate) {
  const auto output_port = [this] {
    wired_.out(0x64, 0xD0);
    return answers().at(0);
  };
  wired_.out(0x64, 0xD1);
  wired_.out(0x60, 0xDF);
  EXPECT_TRUE(wired_.guest.a20_is_open());
  EXPECT_EQ(output_port() & 2U, 2U);
  wired_.guest.set_a20(false);
  EXPECT_EQ(output_port() & 2U, 0U);
  EXPECT_EQ(output_port(), 0xDDU);
}

}  // namespace
}  // namespace hltest::internal
