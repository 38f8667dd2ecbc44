// What NASM's listings and maps show in an unusual way: local labels before the first global one,
// and line numbers of more than six digits.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/image.h>

#include "guests/source_lines.h"

namespace {

using namespace hltest;

std::vector<std::string> names(const SourceMap& map) {
  std::vector<std::string> all;
  for (const Symbol& symbol : map.symbols()) all.push_back(symbol.name);
  return all;
}

std::string at(const SourceMap& map, std::uint64_t offset) {
  const auto line = map.line_at(offset);
  return line ? fmt::format("{}: {}", line->line, line->text) : "(unknown)";
}

TEST(NasmListingTest, LocalLabelsBeforeTheFirstGlobalOneHaveNoGlobalInFront) {
  const SourceMap& map = guests::early_labels.source_map();
  EXPECT_THAT(names(map),
              ::testing::UnorderedElementsAre(".byte", ".skip", ".three", ".into", "in_macro",
                                              "in_macro.own", "start", "start.byte", "start.again",
                                              "last", "last.own", "last.again"));
  EXPECT_EQ(map.symbol(".into")->offset, 2U);
  EXPECT_EQ(map.label_at(3), "in_macro.own");
  EXPECT_EQ(map.label_at(1), ".skip+0x1");
  EXPECT_EQ(guests::early_labels.address(".three"), Gva{3});
  EXPECT_EQ(guests::early_labels.bytes()[*map.symbol(".byte")->offset], 1);
  EXPECT_EQ(guests::early_labels.bytes()[*map.symbol("last.again")->offset], 2);
}

TEST(NasmListingTest, LocalLabelsOfASourceWithoutGlobalOnes) {
  const SourceMap map{"x.asm",
                      "     1 00000000 90                      .x:     nop\n",
                      "-- Symbols ---\n---- Section .text ---\n 0 0 .x\n",
                      {}};
  EXPECT_EQ(map.label_at(0), ".x");
}

TEST(NasmListingTest, LineNumbersOfMoreThanSixDigits) {
  const SourceMap& map = guests::million_lines.source_map();
  EXPECT_EQ(at(map, 0), "999999: nop");
  EXPECT_EQ(at(map, 1), "1000000: mov     ax, 5");
  EXPECT_EQ(at(map, 4), "1000001: db      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13");
  EXPECT_EQ(at(map, 16), at(map, 4)) << "on the next line of the listing";
  EXPECT_EQ(at(map, 17), "1000005: stop");
  EXPECT_EQ(at(map, 18), "12345679: end:    hlt");
}

TEST(NasmListingTest, AWarningIsNotTheSourcesText) {
  const std::vector<std::uint8_t> image(11);
  const SourceMap map{"x.asm",
                      "     1 00000000 000000000000000000-             times 11 db 0x100\n"
                      "     1          ******************       warning: byte data exceeds bounds\n"
                      "     1 00000009 0000               \n",
                      "", image};
  EXPECT_EQ(at(map, 9), "1: times 11 db 0x100");
}

// In linear time: a quadratic reader exceeds the time limit of the test.
TEST(NasmListingTest, ReadsLongListings) {
  constexpr unsigned kLines = 100000;
  std::string listing = "     0                                  .early:\n";
  std::string map = "-- Sections (summary) ---\n";
  std::string symbols = "-- Symbols ---\n---- Section .text ---\n0 0 label99999.early\n";
  for (unsigned i = 0; i < kLines; ++i) {
    listing += fmt::format("{:6} {:08X} 90                      label{}: nop\n", i, i, i);
    map += fmt::format("0 0 0 0 progbits .section{}\n", i);
    symbols += fmt::format("{:X} {:X} label{}\n", i, i, i);
  }
  map += "0 0 0 0 progbits .text\n";
  const RealModeImage image{"long",
                            std::vector<std::uint8_t>(kLines, 0x90),
                            kLoadAddress,
                            {"long.asm", std::move(listing), map + symbols}};

  for (unsigned i = 0; i < kLines; i += 10) {
    ASSERT_EQ(image.address(fmt::format("label{}", i)), Gva{kLoadAddress.value() + i});
    ASSERT_EQ(image.source_map().label_at(i), fmt::format("label{}", i));
  }
  EXPECT_EQ(image.source_map().symbols().front().name, ".early");
}

}  // namespace
