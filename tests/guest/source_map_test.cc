// Which source line made which bytes, and where the labels are: from listings that NASM made in the
// build, and from texts that it never made.
#include <gmock/gmock.h>
#include <hltest/image.h>

#include <random>

#include "../message_of.h"
#include "guests/source_lines.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

std::string at(const SourceMap& map, std::uint64_t offset) {
  const auto line = map.line_at(offset);
  return line ? line->file + ":" + std::to_string(line->line) + ": " + line->text : "(unknown)";
}

TEST(SourceMapTest, SaysWhatTheAuthorWrote) {
  const SourceMap& map = guests::macros.source_map();
  // B0 03 B0 03: two bytes each, from the macro's macro.
  for (const std::uint64_t offset : {0U, 1U, 2U, 3U}) {
    EXPECT_EQ(at(map, offset), "macros.asm:20: start:  set_twice 3");
  }
  EXPECT_EQ(at(map, 4), "macros.asm:21: nop") << "after the macro";
  EXPECT_EQ(at(map, 5), "macros.asm:23: inc al") << "in a %rep";
  EXPECT_EQ(at(map, 7), "macros.asm:23: inc al");
  EXPECT_EQ(at(map, 9), "macros.asm:25: .pad:   times 3 nop");
  EXPECT_EQ(at(map, 11), "macros.asm:25: .pad:   times 3 nop");
  EXPECT_EQ(at(map, 12), "macros.asm:26: mov     bx, [data + point.y]");
  EXPECT_EQ(at(map, 16), "included.inc:2: fault:  nop");
  EXPECT_EQ(at(map, 17), "included.inc:3: ud2");
  EXPECT_EQ(at(map, 19), "macros.asm:28: after:  hlt") << "after the %include";
}

TEST(SourceMapTest, KnowsSectionsAndLongData) {
  const SourceMap& map = guests::macros.source_map();
  const std::uint64_t data = *map.symbol("data")->offset;
  EXPECT_EQ(at(map, data), "macros.asm:32: at point.x, dw 1");
  EXPECT_EQ(at(map, data + 2), "macros.asm:33: at point.y, dw 0x1234");
  EXPECT_THAT(at(map, data + 4), HasSubstr("macros.asm:36: db \"a text"));
  EXPECT_THAT(at(map, data + 50), HasSubstr("macros.asm:36: db \"a text"));
  EXPECT_EQ(at(map, guests::macros.bytes().size()), "(unknown)");
}

TEST(SourceMapTest, NamesTheLabelBefore) {
  const SourceMap& map = guests::macros.source_map();
  EXPECT_EQ(map.label_at(0), "start");
  EXPECT_EQ(map.label_at(4), "start+0x4");
  EXPECT_EQ(map.label_at(10), "start.pad+0x1");
  EXPECT_EQ(map.label_at(17), "fault+0x1");
}

TEST(SourceMapTest, SaysWhereCodeBegins) {
  const SourceMap& map = guests::macros.source_map();
  EXPECT_EQ(map.code_start(11, 100), 0U);
  EXPECT_EQ(map.code_start(11, 2), 9U) << "`times 3 nop`";
  EXPECT_EQ(map.code_start(11, 1), std::nullopt) << "the line begins before that";
}

TEST(ImageTest, AddressesOfLabels) {
  EXPECT_EQ(guests::macros.address("start"), Gva{kLoadAddress.value()});
  EXPECT_EQ(guests::macros.address("start.pad"), Gva{kLoadAddress.value() + 9});
  EXPECT_EQ(guests::macros.address("point.y"), Gva{2}) << "a constant";
  EXPECT_EQ(guests::macros.loaded_at(Gpa{0x8000}).address("start"), Gva{kLoadAddress.value()})
      << "its org has said where it is";
  EXPECT_EQ(guests::flat.address("end"), Gva{kLoadAddress.value() + 2});
  EXPECT_EQ(guests::flat.loaded_at(Gpa{0x8000}).address("end"), Gva{0x8002});
  EXPECT_EQ(guests::flat.address("VALUE"), Gva{5});
}

TEST(ImageTest, ALabelThatIsNotThere) {
  EXPECT_EQ(message_of<SymbolError>([] { (void)guests::flat.address("ende"); }),
            "flat has no label ende: it has VALUE, end");
  const RealModeImage bytes{"bytes", {0xF4}};
  EXPECT_EQ(message_of<SymbolError>([&] { (void)bytes.address("x"); }),
            "bytes has no label x: it has none at all");
  EXPECT_EQ(at(bytes.source_map(), 0), "(unknown)");
}

constexpr std::string_view kMap =
    "-- Program origin ---\n\n00007C00\n\n-- Sections (summary) ---\n\n"
    "Vstart Start Stop Length Class Name\n 7C00 7C00 7C02 00000002 progbits .text\n";

TEST(SourceMapTest, IgnoresALineWhoseBytesDifferFromTheImage) {
  const std::vector<std::uint8_t> image = {0x90, 0xF4};
  const std::string_view listing =
      "     1 00000000 90                              nop\n"
      "     2 00000001 CC                              int3\n";
  const SourceMap map{"dir/boot.asm", listing, kMap, image};
  EXPECT_EQ(at(map, 0), "boot.asm:1: nop");
  EXPECT_EQ(at(map, 1), "(unknown)");
}

// Any text at all: cut, garbled, huge numbers.
TEST(SourceMapTest, SurvivesAnyText) {
  const FlatImage& macros = guests::macros;
  const std::string_view listing =
      "     1 00000000 90<rep FFFFFFFFFFFFFFFFh>   <1> nop\n"
      "     2 FFFFFFFF B8[00000000]               <99> %include \"\n"
      "4294967295 00000001 <res 4h>                <1> absolute\n"
      "     3 00000000 5B(0000)<bin 10h>-               section\n";
  std::mt19937 random{7};
  for (int i = 0; i < 3000; ++i) {
    std::string text{listing};
    std::string map{kMap};
    for (int change = 0; change < 6; ++change) {
      text[random() % text.size()] = static_cast<char>(random());
      map[random() % map.size()] = static_cast<char>(random());
    }
    text.resize(random() % text.size());
    const SourceMap read{"x.asm", text, map, macros.bytes()};
    for (const std::uint64_t offset : {0ULL, 1ULL, 100ULL, ~0ULL}) {
      (void)read.line_at(offset);
      (void)read.label_at(offset);
    }
  }
}

}  // namespace
