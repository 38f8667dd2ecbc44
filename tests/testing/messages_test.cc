// What a user reads when an expectation is wrong. Outcomes are made by hand: this needs no KVM.
#include <hltest/hltest.h>

#include <sstream>

#include "../expectation_message.h"

namespace {

using namespace hltest;
using namespace std::string_view_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Outcome outcome_of(StopReason reason) {
  Outcome outcome;
  outcome.guest = "boot";
  outcome.stop = std::move(reason);
  outcome.registers.rip = 0x1006;
  outcome.registers.cs = Segment::real_mode(0);
  return outcome;
}

Outcome outcome_that_wrote(Port port, std::string_view text) {
  Outcome outcome = outcome_of(Halt{});
  for (const char c : text) {
    outcome.accesses.add(Access::out(port, 1, static_cast<std::uint8_t>(c)));
  }
  outcome.ports = PortView{outcome.accesses};
  return outcome;
}

TEST(MatcherMessages, HaltedOfAGuestThatDidNot) {
  const Outcome outcome = outcome_of(Exception{.vector = Vector::kDivideError});
  EXPECT_EQ(
      message(outcome, Halted()),
      "Value of: value\nExpected: halted\n  Actual: boot ended: #DE (divide error, vector 0) at "
      "0x1006 (real16) (of type hltest::Outcome)");
}

TEST(MatcherMessages, StopReasons) {
  const Outcome halted = outcome_of(Halt{});
  EXPECT_THAT(message(halted, TimedOut()),
              AllOf(HasSubstr("Expected: timed out"), HasSubstr("boot halted at 0x1005 (real16)")));
  EXPECT_THAT(message(halted, TripleFaulted()), HasSubstr("Expected: ended in a triple fault"));
  EXPECT_THAT(message(halted, MetStopCondition()), HasSubstr("Expected: stopped on a condition"));
  EXPECT_THAT(message(halted, Not(Halted())), HasSubstr("Expected: not: halted"));
  EXPECT_EQ(message(outcome_of(TripleFault{}), TripleFaulted()), "(it matches)");
  EXPECT_EQ(message(outcome_of(Timeout{}), TimedOut()), "(it matches)");
  EXPECT_EQ(message(outcome_of(ConditionMet{}), MetStopCondition()), "(it matches)");
}

TEST(MatcherMessages, RaisedShowsBothSides) {
  const Outcome outcome =
      outcome_of(Exception{.vector = Vector::kPageFault, .error_code = 2, .address = Gva{0x5000}});
  EXPECT_THAT(message(outcome, Raised(PageFault{.address = Gva{0x6000}, .error_code = 2})),
              AllOf(HasSubstr("Expected: raised #PF (page fault, error code 0x2: write, "
                              "supervisor, not present) on address 0x6000"),
                    HasSubstr("boot ended: #PF (page fault, vector 14, error code 0x2: write, "
                              "supervisor, not present) on address "
                              "0x5000 at 0x1006")));
  EXPECT_EQ(message(outcome, Raised(PageFault{.address = Gva{0x5000}})), "(it matches)");
  EXPECT_EQ(message(outcome, Raised(Vector::kPageFault)), "(it matches)");
  EXPECT_NE(message(outcome, Raised(PageFault{.error_code = 3})), "(it matches)");
  EXPECT_NE(message(outcome, Raised(GeneralProtection())), "(it matches)");
  EXPECT_NE(message(outcome, Raised(Vector::kDebug)), "(it matches)");
}

TEST(MatcherMessages, WroteShowsTextAndBytes) {
  const Outcome outcome = outcome_that_wrote(kCom1, "3\\\n");
  EXPECT_THAT(message(outcome, Wrote(kCom1, "4\\")),
              AllOf(HasSubstr("Expected: wrote \"4\\\\\" to port 0x3f8"),
                    HasSubstr("which wrote \"3\\\\\\n\" (33 5c 0a) to port 0x3f8")));
  EXPECT_EQ(message(outcome, Wrote(kCom1, "3\\\n")), "(it matches)");
  EXPECT_EQ(message(outcome, Wrote(kCom1, HasSubstr("\\"))), "(it matches)");
  EXPECT_THAT(message(outcome, Wrote(kCom1, HasSubstr("ready"))),
              HasSubstr("wrote text to port 0x3f8 that has substring \"ready\""));
  EXPECT_THAT(message(outcome, Wrote(0x80, "x")),
              HasSubstr("which wrote nothing to port 0x80, but to 0x3f8"));
  EXPECT_THAT(message(outcome_of(Halt{}), Wrote(0x80, "x")),
              HasSubstr("which wrote nothing to port 0x80 and to no other"));
  EXPECT_EQ(message(outcome_that_wrote(1, "a\0b"sv), Wrote(1, "a\0b"sv)), "(it matches)");
}

TEST(MatcherMessages, WroteValues) {
  const Outcome outcome = outcome_that_wrote(0xFF, "\x01\x02"sv);
  EXPECT_EQ(message(outcome, WroteValues(0xFF, ElementsAre(1, 2))), "(it matches)");
  EXPECT_THAT(message(outcome, WroteValues(0xFF, ElementsAre(1, 3))),
              AllOf(HasSubstr("which wrote {0x1, 0x2}"), HasSubstr("element #1")));
}

// INT 0x21 through a bad gate: the error code has the vector, with the IDT bit, and no selector.
TEST(MatcherMessages, AnErrorCodeOfTheIdtNamesNoSelector) {
  const Outcome outcome =
      outcome_of(Exception{.vector = Vector::kGeneralProtection, .error_code = 0x21 * 8 + 2});
  EXPECT_THAT(outcome, Raised(GeneralProtection{.error_code = 0x10A}));
  EXPECT_THAT(outcome, Not(Raised(GeneralProtection{.selector = 0x108})));
}

TEST(MatcherMessages, AFullLogMatchesNothing) {
  Outcome outcome = outcome_of(Halt{});
  for (std::size_t i = 0; i <= AccessLog::kMostKept; ++i) {
    outcome.accesses.add(Access::out(1, 1, 'a'));
  }
  outcome.ports = PortView{outcome.accesses};
  EXPECT_THAT(message(outcome, Wrote(1, std::string(AccessLog::kMostKept, 'a'))),
              HasSubstr("whose port log is full: 1 accesses were not kept"));
}

TEST(MatcherMessages, MemoryIsComparedAsAHexdump) {
  GuestMemory memory{4 * kKiB, CpuMode::kReal16};
  memory.write_string(Gpa{0x20}, "hello");
  EXPECT_EQ(message(memory, HasText(Gpa{0x20}, "hello")), "(it matches)");
  const std::string text = message(memory, HasText(Gpa{0x20}, "hallo"));
  EXPECT_THAT(text, HasSubstr("Expected: has \"hallo\" at 0x20"));
  EXPECT_THAT(text, HasSubstr("Actual: guest memory, RAM 0x0-0xfff"));
  EXPECT_THAT(text, HasSubstr("0x00000020   68 [61] 6c  6c  6f "));
  EXPECT_THAT(text, HasSubstr("| 68 [65] 6c  6c  6f "));
  EXPECT_THAT(message(memory, HasBytes(Gpa{0}, {1})), HasSubstr("Expected: has 1 byte at 0x0"));
  EXPECT_THAT(message(memory, HasBytes(Gpa{0xFFF}, {1, 2})),
              HasSubstr("which can't be read: read of 2 bytes at 0xfff: 0x1000 is outside"));
}

TEST(Printers, SayWhatAValueIs) {
  using ::testing::PrintToString;
  EXPECT_EQ(PrintToString(Gpa{0x10}), "0x10");
  EXPECT_EQ(PrintToString(Segment::code64(0x18)),
            "0018 base 0x0 limit 0xffffffff type 0xb code/data dpl 0 L G");
  EXPECT_EQ(PrintToString(Segment::null_ldt()), "0000 unusable");
  EXPECT_EQ(PrintToString(DescriptorTableRegister{Gva{0x10}, 0x17}), "base 0x10 limit 0x17");
  EXPECT_EQ(PrintToString(Rflags{0x43}), "0x43 [CF ZF]");
  EXPECT_EQ(PrintToString(Cr0{0x11}), "0x11");
  EXPECT_EQ(PrintToString(Vector::kPageFault), "#PF");
  EXPECT_EQ(PrintToString(CpuMode::kLong64), "long64");
  EXPECT_EQ(PrintToString(Access::out(0x60, 2, 0x12)), "out 0x60, word 0x12");
  EXPECT_EQ(PrintToString(Access{.space = Space::kMmio, .size = 4, .address = 0x1000, .value = 5}),
            "write 0x1000, 4 bytes: 0x5");
  EXPECT_THAT(PrintToString(Registers{}), HasSubstr("rax=0x0 "));
}

}  // namespace
