// Where in its source a guest stopped.
#include <hltest/hltest.h>

#include "guests/source_lines.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

TEST_F(RealModeTest, AReportNamesTheSourceLine) {
  const Outcome outcome = run(guests::macros);
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(to_string(*outcome.source()), "included.inc:3 (fault+0x1)");
  EXPECT_THAT(report(outcome), HasSubstr("\nincluded.inc:3 (fault+0x1):  ud2\n"));
  EXPECT_EQ(outcome.registers.bx(), 0x1234);
}

TEST_F(RealModeTest, TheLineIsFoundWhereverTheImageIsLoaded) {
  const Outcome outcome = run(guests::flat.loaded_at(Gpa{0x8000}));
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(to_string(outcome.source().value()), "flat.asm:7 (end)");
}

TEST_F(LongModeTest, TheOffsetIsFoundThroughAMapping) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x1000}});
  const Outcome outcome = run(LongModeImage{"none", {0xF4}}.entered_at(Gva{0x40000000}));
  EXPECT_EQ(outcome.stop_offset(), 0U);
  EXPECT_EQ(outcome.source(), std::nullopt) << "bytes without a source";
}

}  // namespace
