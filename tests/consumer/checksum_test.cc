#include <hltest/hltest.h>

#include "guests/checksum_guests.h"

using namespace hltest;

TEST_F(ProtectedModeTest, AddsUpModulo256) {
  memory().write_string(Gpa{0x2000}, "\xF0\x20\x03");

  const Outcome outcome = run(guests::checksum, {.rcx = 3, .rsi = 0x2000});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.al(), 0x13);
}
