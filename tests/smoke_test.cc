#include <hltest/hltest.h>
#include "guests/warned_real_mode.h"
using namespace hltest;
TEST_F(RealModeTest, AddsTwoDigitsAndPrintsTheSum) {
  const Outcome outcome = run(guests::add_digits, {.rax = 2, .rbx = 2});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 2);
  EXPECT_THAT(outcome, Wrote(kCom1, "4\\"));
  EXPECT_THAT(outcome, Wrote(kCom1, "4"));
  EXPECT_THAT(outcome, Raised(PageFault()));
}
RealModeImage R(std::vector<uint8_t> b){return {"r",b};}
ProtectedModeImage P(std::vector<uint8_t> b){return {"p",b};}
LongModeImage L(std::vector<uint8_t> b){return {"l",b};}
TEST_F(RealModeTest, Ud) { auto o=run(R({0x0f,0x0b})); EXPECT_THAT(o, Not(Raised(InvalidOpcode()))); }
TEST_F(RealModeTest, De) { auto o=run(R({0x31,0xc9,0xf7,0xf1})); EXPECT_THAT(o, Not(Raised(DivideError()))); }
TEST_F(RealModeTest, Int) { auto o=run(R({0xcd,0x10})); EXPECT_THAT(o, Not(Raised(Vector{0x10}))); }
TEST_F(RealModeTest, Spin) { machine().set_timeout(std::chrono::milliseconds(50)); auto o=run(R({0xeb,0xfe})); EXPECT_THAT(o, Not(TimedOut())); }
TEST_F(ProtectedModeTest, Ud) { auto o=run(P({0x0f,0x0b})); EXPECT_THAT(o, Not(Raised(InvalidOpcode()))); }
TEST_F(ProtectedModeTest, Gp) { auto o=run(P({0x66,0xb8,0x80,0,0x8e,0xd8,0xf4})); EXPECT_THAT(o, Not(Raised(GeneralProtection{.error_code=0x80}))); }
TEST_F(LongModeTest, Hlt) { auto o=run(L({0xf4})); EXPECT_THAT(o, Not(Halted())); }
TEST_F(LongModeTest, Pf) { auto o=run(L({0x48,0x8b,0x04,0x25,0,0,0,0x40})); EXPECT_THAT(o, Not(Raised(PageFault{.address=Gva{0x40000000}}))); }
TEST_F(LongModeTest, Spin) { machine().set_timeout(std::chrono::milliseconds(50)); auto o=run(L({0xeb,0xfe})); EXPECT_THAT(o, Not(TimedOut())); }
TEST_F(ProtectedModeTest, Triple) { auto o=run(P({0x0f,0x01,0x1d,0,0,0,0, 0x0f,0x0b})); EXPECT_THAT(o, Not(TripleFaulted())); }
