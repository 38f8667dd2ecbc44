// The words of the matchers for guests that boot.
#include <hltest/hltest.h>

#include <sstream>

#include "../boot_sector.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

class BootMatchersTest : public BootSectorTest {
 protected:
  static std::string message(const Outcome& outcome, const OutcomeMatcher& matcher) {
    ::testing::StringMatchResultListener listener;
    std::ostringstream text;
    matcher.DescribeTo(&text);
    const bool matches = matcher.MatchAndExplain(outcome, &listener);
    return matches ? "(it matches)" : text.str() + " | " + listener.str();
  }
};

TEST_F(BootMatchersTest, AScreenIsShown) {
  const Outcome outcome = run(guests::hello_sector);
  EXPECT_EQ(message(outcome, ShowsText(0, "Hello, world")), "(it matches)");
  EXPECT_EQ(message(outcome, ShowsText(0, HasSubstr("world"))), "(it matches)");
  EXPECT_EQ(message(outcome, ShowsText(1, "x")),
            "shows \"x\" in row 1 | whose screen is\n|Hello, world\n");
  EXPECT_EQ(message(outcome, ShowsText(25, "x")),
            "shows \"x\" in row 25 | whose screen is\n|Hello, world\n")
      << "there is no such row";
  EXPECT_THAT(message(outcome, ShowsText(0, HasSubstr("moon"))), HasSubstr("|Hello, world"));
}

TEST_F(BootMatchersTest, TextIsQuoted) {
  const Outcome outcome = run(guests::hello_sector);
  EXPECT_EQ(message(outcome, Printed(HasSubstr("Hello"))), "(it matches)");
  EXPECT_EQ(message(outcome, Printed("x\n")),
            "printed \"x\\n\" | which printed \"Hello, world\\r\\n\"");
  EXPECT_EQ(message(outcome, SentOnSerial("x")), "sent \"x\" on a serial port | which sent \"\"");
  EXPECT_EQ(message(outcome, SentOnSerial("")), "(it matches)");
}

TEST_F(BootMatchersTest, SerialPortsSendByTheBiosToo) {
  // xor dx, dx; mov ax, 0161h; int 14h; mov dx, 3F8h; mov al, 'b'; out dx, al;
  // xor dx, dx; mov ax, 0163h; int 14h; hlt
  std::vector<std::uint8_t> code{0x31, 0xD2, 0xB8, 0x61, 0x01, 0xCD, 0x14, 0xBA, 0xF8, 0x03, 0xB0,
                                 0x62, 0xEE, 0x31, 0xD2, 0xB8, 0x63, 0x01, 0xCD, 0x14, 0xF4};
  EXPECT_THAT(run(RealModeImage{"sends", boot_sector(code)}), SentOnSerial("abc"));
}

TEST_F(BootMatchersTest, CallsAndSectorsAreListed) {
  const Outcome outcome =
      run(Disk{sector(guests::load_second_stage), at(1, RealModeImage{"halt", {0xF4}})});
  EXPECT_THAT(
      message(outcome, CalledBios(0x10, 0)),
      HasSubstr("called INT 10h with AH = 00h | which made 2 calls:\n  INT 13h, AX = 4100h"));
  EXPECT_EQ(message(outcome, ReadSectors({})),
            "transferred these sectors:\n  nothing | which did:\n"
            "  read sectors 1-4 of drive 0x0 to 0x8000");
  EXPECT_EQ(message(outcome, ReadSectors({{.drive = 0, .lba = 1, .count = 4}})), "(it matches)");
  EXPECT_NE(message(outcome, ReadSectors({{.drive = 1, .lba = 1, .count = 4}})), "(it matches)");
  EXPECT_NE(message(outcome, ReadSectors({{.drive = 0, .lba = 2, .count = 4}})), "(it matches)");
  EXPECT_NE(message(outcome, ReadSectors({{.drive = 0, .lba = 1, .count = 3}})), "(it matches)");
  EXPECT_NE(
      message(outcome, ReadSectors({{.drive = 0, .lba = 1, .count = 4, .memory = Gpa{0x8001}}})),
      "(it matches)");
  EXPECT_EQ(message(outcome, WroteSectors({})), "(it matches)") << "reads are none";
  EXPECT_THAT(message(outcome, JumpedTo(0, 0x8001)),
              HasSubstr("halted at 0000:8001 | load_second_stage halted at 0x8000"));
  EXPECT_THAT(message(outcome, JumpedTo(0, 0x8001)), HasSubstr("with CS:IP = 0000:8000"));
}

TEST_F(BootMatchersTest, PortsInOrder) {
  const Outcome outcome = run(guests::protected_timer);
  EXPECT_EQ(message(outcome, Accessed(Out(0x20, 0x11), Out(0x21, 0xFE), Out(0x43), Out(0x40))),
            "(it matches)");
  EXPECT_EQ(
      message(outcome, Accessed(Out(0x43), Out(0x20, 0x11))),
      "accessed in this order: Out(0x43) Out(0x20, 0x11) | which has no Out(0x20, 0x11) after "
      "Out(0x43)");
  EXPECT_THAT(message(outcome, Accessed(In(0x43))), HasSubstr("which has no In(0x43)"));
}

// Text is kept of every call, and in its order with what the serial ports sent.
TEST(ConsoleTest, IsWholeHoweverMuchIsPrinted) {
  AccessLog log;
  const ServiceCall call{.vector = Vector{0x10}, .text = "a"};
  for (std::size_t i = 0; i < AccessLog::kMostCalls + 10; ++i) log.add(call);
  log.add(Access::out(kCom1, 1, 'z'));
  log.add(call);
  EXPECT_EQ(log.console(), std::string(AccessLog::kMostCalls + 10, 'a') + "za");
  EXPECT_EQ(log.calls().size(), AccessLog::kMostCalls);
  EXPECT_EQ(log.dropped_calls(), 11U);
}

}  // namespace
