// The serial port, register by register, and as guests use it.
#include "devices/uart.h"

#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "wired.h"

namespace hltest::internal {
namespace {

class UartTest : public ::testing::Test {
 protected:
  std::string input_ = "ab";
  std::shared_ptr<Pic> pic_ = std::make_shared<Pic>();
  Uart uart_{kCom1, pic_, 4, [this]() -> const std::string& { return input_; }};
  Wired wired_{uart_};
  void out(unsigned at, std::uint8_t value) { wired_.out(static_cast<Port>(kCom1 + at), value); }
  std::uint64_t in(unsigned at) { return wired_.in(static_cast<Port>(kCom1 + at)); }
};

TEST_F(UartTest, IsReadyToTransmitAndHasWhatArrived) {
  EXPECT_EQ(in(5), 0x61U);
  EXPECT_EQ(in(0), 'a');
  EXPECT_EQ(in(5), 0x61U);
  EXPECT_EQ(in(0), 'b');
  EXPECT_EQ(in(5), 0x60U) << "no more";
  EXPECT_EQ(in(0), 0U);
  EXPECT_EQ(in(6), 0xB0U);
}

TEST_F(UartTest, KeepsWhatIsWritten) {
  out(7, 0x5A);
  EXPECT_EQ(in(7), 0x5AU);
  out(1, 0xFF);
  EXPECT_EQ(in(1), 0x0FU);
  out(4, 0xFF);
  EXPECT_EQ(in(4), 0x1FU);
  EXPECT_EQ(in(3), 0x03U);
}

TEST_F(UartTest, TheDivisorIsBehindTheLatch) {
  out(3, 0x80);
  EXPECT_EQ(in(0), 12U);
  EXPECT_EQ(in(1), 0U);
  out(0, 0x34);
  out(1, 0x12);
  EXPECT_EQ(in(0), 0x34U);
  EXPECT_EQ(in(1), 0x12U);
  out(3, 0x03);
  EXPECT_EQ(in(1), 0U) << "interrupts are as before";
  EXPECT_EQ(in(0), 'a') << "and nothing was read";
}

TEST_F(UartTest, TheLoopBringsBackWhatIsSent) {
  out(4, 0x1E);
  EXPECT_EQ(in(5), 0x60U) << "what arrived waits outside";
  EXPECT_EQ(in(6), 0xD0U) << "RTS, OUT1 and OUT2";
  out(4, 0x11);
  EXPECT_EQ(in(6), 0x20U) << "DTR";
  out(0, 0xAE);
  out(0, 0x55);
  EXPECT_EQ(in(5), 0x61U);
  EXPECT_EQ(in(0), 0xAEU);
  EXPECT_EQ(in(0), 0x55U);
  for (unsigned i = 0; i < 17; ++i) out(0, static_cast<std::uint8_t>(i));
  for (unsigned i = 0; i < 16; ++i) EXPECT_EQ(in(0), i);
  EXPECT_EQ(in(0), 0U) << "the FIFO has 16";
  out(0, 1);
  out(2, 2);  // clears it
  EXPECT_EQ(in(5), 0x60U);
  out(4, 0);
  EXPECT_EQ(in(0), 'a');
}

TEST_F(UartTest, IdentifiesItsInterrupts) {
  EXPECT_EQ(in(2), 0x01U);
  out(2, 1);
  EXPECT_EQ(in(2), 0xC1U) << "with FIFOs";
  out(1, 3);
  EXPECT_EQ(in(2), 0xC4U) << "data comes first";
  in(0);
  in(0);
  EXPECT_EQ(in(2), 0xC2U) << "then the empty transmitter";
  EXPECT_EQ(in(2), 0xC1U) << "which a read acknowledges";
  out(0, 'x');
  EXPECT_EQ(in(2), 0xC2U);
}

TEST_F(UartTest, RequestsInterruptsThroughOut2) {
  out(1, 1);
  EXPECT_EQ(pic_->interrupt(), std::nullopt);
  out(4, 0x08);
  EXPECT_EQ(pic_->interrupt(), Vector{0x0C});
  pic_->acknowledge(Vector{0x0C});
  pic_->end_of_interrupt(4);
  EXPECT_EQ(pic_->interrupt(), std::nullopt);
  in(0);
  EXPECT_EQ(pic_->interrupt(), Vector{0x0C}) << "there is more";
  pic_->acknowledge(Vector{0x0C});
  pic_->end_of_interrupt(4);
  in(0);
  EXPECT_EQ(pic_->interrupt(), std::nullopt) << "that was all";
}

// A driver that sets its baud rate, tests the port in its loop and echoes until 'q'.
TEST_F(BootSectorTest, ASerialDriverEchoes) {
  std::vector<std::uint8_t> code = {0xBA, 0xFB, 0x03, 0xB0, 0x80, 0xEE,        // open the latch
                                    0xBA, 0xF8, 0x03, 0xB0, 0x01, 0xEE,        // the divisor
                                    0xBA, 0xFB, 0x03, 0xB0, 0x03, 0xEE,        // 8 bits
                                    0xBA, 0xFC, 0x03, 0xB0, 0x1E, 0xEE,        // into the loop
                                    0xBA, 0xF8, 0x03, 0xB0, 0xAE, 0xEE, 0xEC,  // there and back
                                    0x3C, 0xAE, 0x75, 0x1A,                    // jne the HLT
                                    0xBA, 0xFC, 0x03, 0xB0, 0x0F, 0xEE,        // out of it
                                    0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x01, 0x74,
                                    0xF8,                          // wait for a character
                                    0xBA, 0xF8, 0x03, 0xEC, 0xEE,  // echo it
                                    0x3C, 0x71, 0x75, 0xEF,        // until 'q'
                                    0xFA, 0xF4};
  bios().serial_input = "heq";
  const Outcome outcome = run(Disk::of_bytes(boot_sector(code)));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, SentOnSerial("heq"));
}

// INT 14h, AH = 2 reads the same: mov ah, 2; xor dx, dx; int 0x14; mov bx, ax; (twice); cli; hlt
TEST_F(BootSectorTest, TheBiosReceives) {
  std::vector<std::uint8_t> code = {0xB4, 2,    0x31, 0xD2, 0xCD, 0x14, 0x89,
                                    0xC3, 0xB4, 2,    0xCD, 0x14, 0xFA, 0xF4};
  bios().serial_input = "k";
  const Outcome outcome = run(Disk::of_bytes(boot_sector(code)));
  EXPECT_EQ(outcome.registers.bl(), 'k');
  EXPECT_EQ(outcome.registers.bh() & 0x80, 0);
  EXPECT_EQ(outcome.registers.ah(), 0x80) << "nothing more arrives";
}

}  // namespace
}  // namespace hltest::internal
