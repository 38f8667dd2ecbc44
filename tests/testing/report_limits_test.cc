// How much of each list a report shows, where a line ends, and which bytes are printed as they are.
#include <gmock/gmock.h>
#include <hltest/hltest.h>

#include "diagnosis/text.h"
#include "testing/hexdump.h"

#include <algorithm>

namespace {

using namespace hltest;
using namespace hltest::internal;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> shown(const AccessLog& log) {
  Lines lines;
  add_accesses(lines, log);
  std::vector<std::string> texts;
  for (const Line& line : lines) texts.push_back(line.text);
  return texts;
}

TEST(ReportLimitsTest, ALineHas80Columns) {
  EXPECT_EQ(cut(std::string(80, 'a')).text, std::string(80, 'a'));
  EXPECT_EQ(cut(std::string(81, 'a')).text, std::string(77, 'a') + "...");
  Lines lines;
  add_wrapped(lines, std::string(80, 'a'));
  EXPECT_EQ(lines.size(), 1U);
  add_wrapped(lines, std::string(81, 'a'));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].text, std::string(80, 'a'));
  EXPECT_EQ(lines[2].text, "  a");
}

TEST(ReportLimitsTest, ALineIsWrappedAtItsLastBlank) {
  Lines lines;
  add_wrapped(lines, std::string(80, 'a') + " b");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, std::string(80, 'a')) << "the blank is in column 81";
  EXPECT_EQ(lines[1].text, "  b");
}

TEST(ReportLimitsTest, WhatIsNotPrintableIsAQuestionMark) {
  EXPECT_EQ(printable(" ~"), " ~");
  EXPECT_EQ(printable("\x1F\x7F"), "??");
  EXPECT_EQ(printable("\t"), " ");
  EXPECT_EQ(printable("\xC2\x80\xC2\x9F"), "??") << "C1 controls";
  EXPECT_EQ(printable("\xC2\xA0"), "\xC2\xA0");
  EXPECT_EQ(printable("\xDF\xBF"), "\xDF\xBF") << "the last of two bytes";
  EXPECT_EQ(printable("\xC1\xBF"), "??") << "overlong";
  EXPECT_EQ(printable("\xE0\xA0\x80"), "\xE0\xA0\x80");
  EXPECT_EQ(printable("\xEF\xBF\xBD"), "\xEF\xBF\xBD");
  EXPECT_EQ(printable("\xF0\x90\x80\x80"), "\xF0\x90\x80\x80");
  EXPECT_EQ(printable("\xF4\x8F\xBF\xBF"), "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(printable("\xF5\x80\x80\x80"), "????");
  EXPECT_EQ(printable("\xE2\x82"), "??") << "half a character";
}

TEST(ReportLimitsTest, EscapesOfWhatIsNotAscii) {
  EXPECT_EQ(escape(" ~"), " ~");
  EXPECT_EQ(escape("\x1F\x7F\x80\xFF"), "\\x1f\\x7f\\x80\\xff");
}

TEST(ReportLimitsTest, EightPortsAreShown) {
  AccessLog log;
  for (Port port = 1; port <= 8; ++port) log.add(Access::out(port, 1, 'x'));
  EXPECT_THAT(shown(log), Not(Contains(HasSubstr("more ports"))));
  EXPECT_THAT(shown(log), Contains("out 0x0008  1 byte: 78 \"x\""));
  log.add(Access::out(9, 1, 'x'));
  EXPECT_THAT(shown(log), AllOf(Contains("... and 1 more ports"), Contains(HasSubstr("0x0008")),
                                Not(Contains(HasSubstr("0x0009")))));
}

TEST(ReportLimitsTest, TwelveBytesOfAPortAreShown) {
  AccessLog log;
  for (int i = 0; i < 12; ++i) log.add(Access::out(1, 1, 'x'));
  EXPECT_THAT(shown(log), Contains("out 0x0001  12 bytes: 78 78 78 78 78 78 78 78 78 78 78 78 "
                                   "\"xxxxxxxxxxxx\""));
  log.add(Access::out(1, 1, 'x'));
  EXPECT_THAT(shown(log), Contains(HasSubstr("13 bytes: 78 78 78 78 78 78 78 78 78 78 78 78 .. ")));
}

TEST(ReportLimitsTest, EightReadsAreShownAndRepeatedOnesCounted) {
  AccessLog log;
  for (Port port = 1; port <= 8; ++port) log.add(Access::in(port, 1, 0));
  log.add(Access::in(8, 1, 0));
  EXPECT_THAT(shown(log), AllOf(Contains("in 0x8, byte 0x0, 2 times"), Contains("in 0x7, byte 0x0"),
                                Not(Contains("... and further reads"))));
  log.add(Access::in(8, 1, 1));
  EXPECT_THAT(shown(log), Contains("... and further reads"));
}

TEST(ReportLimitsTest, FourAccessesToMmioAndToMsrsAreShown) {
  for (const auto& [space, name] :
       {std::pair{Space::kMmio, "MMIO"}, std::pair{Space::kMsr, "MSR"}}) {
    const std::string more = std::string{"... and 1 more "} + name + " accesses";
    AccessLog log;
    for (std::uint64_t i = 0; i < 4; ++i) log.add(Access{.space = space, .address = i});
    EXPECT_EQ(shown(log).size(), 5U) << "an empty line, and each of them";
    EXPECT_THAT(shown(log), Not(Contains(more)));
    log.add(Access{.space = space, .address = 4});
    EXPECT_EQ(shown(log).size(), 6U);
    EXPECT_THAT(shown(log), Contains(more));
  }
}

TEST(ReportLimitsTest, TheLastEightCallsAreShown) {
  AccessLog log;
  for (std::uint64_t i = 1; i <= 8; ++i) {
    ServiceCall call{.vector = Vector{0x13}};
    call.before.rax = i;
    log.add(call);
  }
  EXPECT_THAT(shown(log), Contains("INT 13h, AX = 0001h"));
  EXPECT_THAT(shown(log), Not(Contains(HasSubstr("before these"))));
  ServiceCall printed{.vector = Vector{0x10}};
  printed.text = "x";
  log.add(printed);
  EXPECT_THAT(shown(log), Not(Contains(HasSubstr("before these")))) << "that is on the screen";
  log.add(ServiceCall{.vector = Vector{0x16}});
  EXPECT_THAT(shown(log),
              AllOf(Contains("(1 call before these)"), Not(Contains("INT 13h, AX = 0001h")),
                    Contains("INT 13h, AX = 0002h"), Contains("INT 16h, AX = 0000h")));
}

TEST(HexdumpLimitsTest, RowsHave16BytesAndAreAscii) {
  std::vector<std::uint8_t> bytes = {0x1F, 0x20, 0x7E, 0x7F};
  EXPECT_EQ(hexdump(Gpa{0}, bytes),
            "0x00000000  1f 20 7e 7f                                      . ~.\n");
  bytes.assign(16, 'a');
  const std::string one_row = hexdump(Gpa{0}, bytes);
  EXPECT_EQ(std::ranges::count(one_row, '\n'), 1);
  bytes.push_back('a');
  const std::string two_rows = hexdump(Gpa{0}, bytes);
  EXPECT_EQ(std::ranges::count(two_rows, '\n'), 2);
}

TEST(HexdumpLimitsTest, AComparisonShows32Rows) {
  const auto text = [](std::size_t rows) {
    return hexdump_comparison(Gpa{0}, std::vector<std::uint8_t>(8 * rows, 0),
                              std::vector<std::uint8_t>(8 * rows, 1));
  };
  EXPECT_THAT(text(32), Not(HasSubstr("further rows")));
  EXPECT_THAT(text(32), HasSubstr("0x000000f8"));
  EXPECT_THAT(text(33), AllOf(HasSubstr("further rows differ"), Not(HasSubstr("0x00000100"))));
}

}  // namespace
