// The source map of an image is read once, however many copies and threads ask for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/image.h>

#include <thread>

#include "guests/every_mode.h"
#include "guests/source_lines.h"

namespace {

using namespace hltest;

// Made by the compiler: nothing is read until somebody asks.
constexpr std::uint8_t kByte[] = {0xF4};
constinit const LazySourceMap kNeverAsked{"x.asm", {kByte, kByte + 1}, {}, {}};
constinit const RealModeImage kLinked{
    LinkedImage{"x", {kByte, kByte + 1}, kLoadAddress, &kNeverAsked}};

TEST(LazySourceMapTest, CopiesOfALinkedImageShareTheirMap) {
  const RealModeImage copy = guests::macros.loaded_at(Gpa{0x8000}).entered_at(Gva{0x8004});
  EXPECT_EQ(&copy.source_map(), &guests::macros.source_map());
  EXPECT_NE(&copy.source_map(), &guests::flat.source_map());
  EXPECT_NE(&guests::add.in<CpuMode::kReal16>().source_map(),
            &guests::add.in<CpuMode::kLong64>().source_map());
}

TEST(LazySourceMapTest, CopiesOfAnImageMadeAtRunTimeShareTheirMap) {
  std::optional<RealModeImage> image{RealModeImage{
      "x", {0xF4}, kLoadAddress, {"x.asm", "     1 00000000 F4                      hlt\n", ""}}};
  const FlatImage copy = image->loaded_at(Gpa{0x8000});
  const SourceMap* const map = &image->source_map();
  image.reset();
  EXPECT_EQ(&copy.source_map(), map);
  EXPECT_EQ(copy.source_map().line_at(0)->text, "hlt");
}

TEST(LazySourceMapTest, AnImageWithoutASourceHasAnEmptyMap) {
  constexpr LinkedImage kWithoutSource{"x", {kByte, kByte + 1}, kLoadAddress};
  EXPECT_TRUE(RealModeImage{kWithoutSource}.source_map().symbols().empty());
  EXPECT_EQ(kLinked.source_map().line_at(0), std::nullopt);
}

TEST(LazySourceMapTest, ThreadsMayAskAtTheSameTime) {
  std::string listing;
  for (int i = 1; i <= 5000; ++i) listing += "     1 00000000 90                      nop\n";
  const RealModeImage image{"x", {0x90}, kLoadAddress, {"x.asm", listing, ""}};
  std::vector<const SourceMap*> maps(8);
  std::vector<std::thread> threads;
  for (auto& map : maps) {
    threads.emplace_back([&image, &map] { map = &FlatImage{image}.source_map(); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(maps, ::testing::Each(&image.source_map()));
  EXPECT_EQ(image.source_map().line_at(0)->text, "nop");
}

}  // namespace
