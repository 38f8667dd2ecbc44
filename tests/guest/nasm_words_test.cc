// Each form that NASM has for a directive, a label and a line of its listing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/image.h>

#include "../message_of.h"
#include "guest/nasm_line.h"
#include "guest/text.h"
#include "guests/source_lines.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NasmWordsTest, WordsThatChangeTheCodeSize) {
  EXPECT_EQ(changed_bits("use16"), 16U);
  EXPECT_EQ(changed_bits("use32"), 32U);
  EXPECT_EQ(changed_bits("use64"), 64U);
  EXPECT_EQ(changed_bits("bits 16"), 16U);
  EXPECT_EQ(changed_bits("bits\t32 ; comment"), 32U);
  EXPECT_EQ(changed_bits("[bits 64]"), 64U);
  EXPECT_EQ(changed_bits("bitset 3"), std::nullopt);
  EXPECT_EQ(changed_bits("nop"), std::nullopt);
}

TEST(NasmWordsTest, WordsThatChangeTheSection) {
  EXPECT_EQ(changed_section("section .data"), ".data");
  EXPECT_EQ(changed_section("segment .data align=4"), ".data");
  EXPECT_EQ(changed_section("[section .data]"), ".data");
  EXPECT_EQ(changed_section("absolute 0x100"), "");
  EXPECT_EQ(changed_section("[absolute 0x100]"), "");
  EXPECT_EQ(changed_section("sections .data"), std::nullopt);
}

TEST(NasmWordsTest, FilesThatAreIncluded) {
  EXPECT_EQ(included_file("%include \"a.inc\""), "a.inc");
  EXPECT_EQ(included_file("%include 'dir/a.inc'"), "a.inc");
  EXPECT_EQ(included_file("%include `a.inc` ; comment"), "a.inc");
  EXPECT_EQ(included_file("%include <a.inc>"), "a.inc");
  EXPECT_EQ(included_file("%include \""), std::nullopt);
  EXPECT_EQ(included_file("%included \"a.inc\""), std::nullopt);
}

TEST(NasmWordsTest, AWordEndsWithABlankOrTheText) {
  EXPECT_TRUE(starts_with_word("equ", "equ"));
  EXPECT_TRUE(starts_with_word("equ 5", "equ"));
  EXPECT_TRUE(starts_with_word("equ\t5", "equ"));
  EXPECT_FALSE(starts_with_word("equal", "equ"));
  EXPECT_FALSE(starts_with_word("eq", "equ"));
  EXPECT_EQ(trimmed(" \t a b \t"), "a b");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(without_folders("a/b.asm"), "b.asm");
  EXPECT_EQ(without_folders("b.asm"), "b.asm");
}

TEST(NasmWordsTest, LinesEndWithALineFeedAndMayHaveACarriageReturn) {
  std::string_view text = "a\r\nb\n\nc";
  std::vector<std::string> lines;
  while (!text.empty()) lines.emplace_back(next_line(text));
  EXPECT_THAT(lines, ElementsAre("a", "b", "", "c"));
}

TEST(NasmWordsTest, ColumnsOfALine) {
  const auto line = split_listing_line("    12 0000001A B80300              <3> mov ax, 3 ");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->number, 12U);
  EXPECT_EQ(line->offset, 0x1AU);
  EXPECT_EQ(line->bytes, "B80300");
  EXPECT_EQ(line->depth, 3U);
  EXPECT_EQ(line->text, "mov ax, 3");
  EXPECT_EQ(split_listing_line("     1")->number, 1U) << "the number's last column";
  EXPECT_EQ(split_listing_line("    1"), std::nullopt);
  EXPECT_EQ(split_listing_line("      "), std::nullopt);
  EXPECT_EQ(split_listing_line(""), std::nullopt);
  EXPECT_EQ(split_listing_line("     x 00000000 90"), std::nullopt);
  const auto depth = [](const char* text) {
    return split_listing_line("     1 00000000 90                 " + std::string{text} + " nop")
        ->depth;
  };
  EXPECT_EQ(depth("<64>"), 64U);
  EXPECT_EQ(depth("<65>"), 64U) << "the deepest";
  EXPECT_EQ(depth("<1 "), 0U);
}

TEST(NasmWordsTest, BytesOfALine) {
  const auto size = [](const char* column) -> std::int64_t {
    const auto bytes = read_listed_bytes(column);
    return bytes ? static_cast<std::int64_t>(bytes->size) : -1;
  };
  EXPECT_EQ(size("B80300"), 3);
  EXPECT_EQ(size("B8-"), 1) << "more on the next line";
  EXPECT_EQ(size("90<rep 3h>"), 3);
  EXPECT_EQ(size("9090<rep 10h>"), 32);
  EXPECT_EQ(size("<bin 200h>"), 0x200);
  EXPECT_EQ(size("<res 200h>"), -1) << "no bytes in the image";
  EXPECT_EQ(size("<rep h>"), -1);
  EXPECT_EQ(size("B8[0300]"), 3);
  EXPECT_EQ(size("E8(0300)"), 3);
  EXPECT_EQ(size("B8?"), -1);
  EXPECT_THAT(read_listed_bytes("B8[0300]")->known, ElementsAre(0xB8)) << "the rest is relocated";
  EXPECT_THAT(read_listed_bytes("E8(0300)")->known, ElementsAre(0xE8));
  EXPECT_THAT(read_listed_bytes("B80300")->known, ElementsAre(0xB8, 3, 0));
}

TEST(SourceLimitsTest, CodeBeginsAtTheFirstLineWithinTheDistance) {
  const SourceMap& map = guests::macros.source_map();
  EXPECT_EQ(map.code_start(11, 11), 0U) << "as far as the image goes";
  EXPECT_EQ(map.code_start(11, 10), 2U);
  EXPECT_EQ(map.code_start(0, 0), 0U);
  EXPECT_EQ(map.code_start(guests::macros.bytes().size(), 100), std::nullopt);
}

TEST(SourceLimitsTest, ALineThatReachesBeyondTheImageIsNotOfIt) {
  const std::string_view listing = "     1 00000000 9090                      times 2 nop\n";
  const std::vector<std::uint8_t> both = {0x90, 0x90};
  const std::vector<std::uint8_t> one = {0x90};
  EXPECT_TRUE((SourceMap{"x.asm", listing, "", both}.line_at(1).has_value()));
  EXPECT_FALSE((SourceMap{"x.asm", listing, "", both}.line_at(2).has_value()));
  EXPECT_FALSE((SourceMap{"x.asm", listing, "", one}.line_at(0).has_value()));
}

TEST(SourceLimitsTest, AnUnknownLabelIsToldWith20Others) {
  const auto message = [](unsigned count) {
    std::string map = "-- Symbols ---\n---- No Section ---\n";
    for (unsigned i = 0; i < count; ++i) map += "0 name" + std::to_string(i) + "\n";
    const RealModeImage image{"x", {0x90}, kLoadAddress, {"x.asm", "", map}};
    return message_of<SymbolError>([&] { (void)image.address("none"); });
  };
  EXPECT_THAT(message(20), ::testing::EndsWith(", name19"));
  EXPECT_THAT(message(21), ::testing::EndsWith(", name19, ..."));
}

TEST(SourceLimitsTest, AnImageKeepsItsFirstBytes) {
  FlatImage image{"x", {1, 2, 3}};
  image.keep_first(4);
  EXPECT_EQ(image.bytes().size(), 3U);
  image.keep_first(3);
  EXPECT_EQ(image.bytes().size(), 3U);
  image.keep_first(2);
  EXPECT_THAT(image.bytes(), ElementsAre(1, 2));
}

// The labels in a macro's definition are defined where it is called.
TEST(SourceLimitsTest, EachWordThatDefinesAMacro) {
  for (const char* const word : {"%macro", "%imacro", "%rmacro", "%irmacro"}) {
    for (const char* const end : {"%endmacro", "%endm"}) {
      const std::string blank(34, ' ');
      const std::string listing = "     1" + blank + word + " m 0\n" +  //
                                  "     2" + blank + "start: nop\n" +   //
                                  "     3" + blank + end + "\n" +       //
                                  "     4 00000000 90                      .early: nop\n" +
                                  "     5 00000001 90                      start: nop\n";
      const std::string map =
          "-- Symbols ---\n---- Section .text ---\n0 0 start.early\n1 1 start\n";
      const SourceMap read{"x.asm", listing, map, {}};
      EXPECT_TRUE(read.symbol(".early").has_value()) << word << " ... " << end;
    }
  }
}

// `$ax` is a label, named like a register. NASM puts it, as the last one, before a local label that
// precedes all others, and its section may be another.
TEST(SourceLimitsTest, ALabelMayBeNamedLikeARegister) {
  const std::string listing =
      "     1 00000000 90                      .early: nop\n"
      "     2                                          section .data\n"
      "     3 00000000 90                      $ax: nop\n";
  const SourceMap read{"x.asm",
                       listing,
                       "-- Symbols ---\n---- Section .text ---\n0 0 ax.early\n"
                       "---- Section .data ---\n1 1 ax\n",
                       {}};
  EXPECT_TRUE(read.symbol(".early").has_value());
  EXPECT_FALSE(read.symbol("ax.early").has_value());
}

// NASM's directives have no case.
TEST(NasmWordsTest, DirectivesMayBeInCapitals) {
  EXPECT_EQ(changed_bits("USE64"), 64U);
  EXPECT_EQ(changed_bits("BITS\t32 ; comment"), 32U);
  EXPECT_EQ(changed_section("SEGMENT .data align=4"), ".data");
  EXPECT_EQ(included_file("%INCLUDE `a.inc` ; comment"), "a.inc");
  EXPECT_TRUE(starts_with_word("EQU 5", "equ"));
  EXPECT_FALSE(starts_with_word("EQUAL", "equ"));
}

}  // namespace
