// What a diagnosis finds out besides the cause.
#include <hltest/hltest.h>

#include <cstring>

#include "guests/broken_real.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using FindingsTest = RealModeTest;
using InterruptFindingsTest = ProtectedModeTest;

TEST_F(FindingsTest, AnImageThatIsNotLoadedAtItsOrg) {
  const Diagnosis there = diagnose(run(guests::selector_is_an_index));
  EXPECT_THAT(there.findings, Not(Contains(HasSubstr("org"))));
  const Diagnosis elsewhere = diagnose(run(guests::selector_is_an_index.loaded_at(Gpa{0x2000})));
  EXPECT_THAT(elsewhere.findings,
              Contains("the source has org 0x1000, but the image is loaded at 0x2000"));
}

TEST_F(FindingsTest, AnOrgInsideASegmentIsRight) {
  machine().registers().cs = Segment::real_mode(0x100);
  const Diagnosis diagnosis =
      diagnose(run(guests::selector_is_an_index.loaded_at(Gpa{0x2000}).entered_at(Gva{0x2000})));
  EXPECT_THAT(diagnosis.findings, Not(Contains(HasSubstr("org"))));
}

TEST_F(FindingsTest, ExceptionsThatTheTestHasTakenFromTheFramework) {
  memory().fill(Gpa{0}, 2 * sizeof(std::uint32_t), 0xFF);
  memory().fill(Gpa{0x13 * 4}, sizeof(std::uint32_t), 0xFF);  // the disk service's
  const Diagnosis diagnosis = diagnose(run(RealModeImage{"undefined", {0x0F, 0x0B}}));
  EXPECT_THAT(diagnosis.findings,
              Contains("the test wrote the IVT's entries for #DE, #DB, which the framework does "
                       "not catch"));
}

// From vector 0x10 on they are a BIOS's too.
TEST_F(FindingsTest, TheLastExceptionThatATestCanTake) {
  memory().fill(Gpa{0x0F * 4}, 2 * sizeof(std::uint32_t), 0xFF);
  EXPECT_THAT(diagnose(run(RealModeImage{"undefined", {0x0F, 0x0B}})).findings,
              Contains("the test wrote the IVT's entries for " + mnemonic(Vector{0x0F}) +
                       ", which the framework does not catch"));
}

// Zeros are what a source reserves for its stack.
TEST_F(FindingsTest, AStackInZerosOfTheImageIsRight) {
  // mov sp, 0x1040; push 5; push 6; ud2
  std::vector<std::uint8_t> code{0xBC, 0x40, 0x10, 0x6A, 5, 0x6A, 6, 0x0F, 0x0B};
  code.resize(0x40);
  EXPECT_THAT(diagnose(run(RealModeImage{"stack", code})).findings, ::testing::IsEmpty());
  code.resize(0x40 - 1);
  code.push_back(1);  // something that PUSH overwrites
  EXPECT_THAT(diagnose(run(RealModeImage{"stack", code})).findings,
              Contains(HasSubstr("the stack has run into the image")));
}

using MappedStacks = LongModeTest;

TEST_F(MappedStacks, AnEmptyStackMayEndWithWhatIsMapped) {
  const LongModeImage undefined{"undefined", {0x0F, 0x0B}};
  EXPECT_THAT(diagnose(run(undefined, {.rsp = kMemorySize})).findings, ::testing::IsEmpty());
  EXPECT_THAT(diagnose(run(undefined, {.rsp = kMemorySize + 8})).findings,
              Contains("the stack pointer, 0x1000008, is where nothing is mapped"));
}

// The stack that most boot sectors have: it begins where they do, and grows away from them.
TEST_F(FindingsTest, AnEmptyStackBelowTheImageIsRight) {
  // or byte [1004h], 1; ud2: what is written in the image is not by the stack
  const RealModeImage writes{"writes", {0x80, 0x0E, 0x04, 0x10, 0x02, 0x0F, 0x0B}};
  EXPECT_THAT(diagnose(run(writes, {.rsp = 0x1000})).findings, ::testing::IsEmpty());
}

// At CPL 0 a guest can write to the framework's region.
TEST_F(InterruptFindingsTest, HandlersThatTheGuestHasOverwritten) {
  const auto at = static_cast<std::uint32_t>((kSystemRegion + kHandlersOffset).value());
  std::vector<std::uint8_t> code{0xBF, 0, 0, 0, 0};  // mov edi, the handlers
  std::memcpy(&code[1], &at, sizeof at);
  // mov ecx, 200h; mov al, 90h (NOP); rep stosb; ud2
  code.insert(code.end(), {0xB9, 0, 2, 0, 0, 0xB0, 0x90, 0xF3, 0xAA, 0x0F, 0x0B});
  machine().set_timeout(std::chrono::milliseconds{500});
  const Outcome outcome = run(ProtectedModeImage{"overwrites", code});
  EXPECT_THAT(outcome, Not(MadeSystemCall()));
  EXPECT_THAT(diagnose(outcome).findings,
              Contains(HasSubstr("the guest has overwritten the framework's handlers at 0xf0000")));
}

using LinearAddresses = ProtectedModeTest;

// Outside 64-bit mode they wrap at 4 GiB.
TEST_F(LinearAddresses, OfAnOperandWrapAt4GiB) {
  machine().set_descriptor(0x80, Data32{.base = Gva{0xFFFF'F000}});
  machine().registers().ds = machine().segment(0x80);
  const Outcome outcome =
      run(ProtectedModeImage{"div", {0xF7, 0x35, 0x00, 0x30, 0x00, 0x00}});  // div dword [0x3000]
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(diagnose(outcome).cause, "the divisor at 0x2000 is 0");
}

TEST_F(FindingsTest, TheIvtAsCode) {
  memory().write<std::uint16_t>(Gpa{0x100}, 0x0B0F);                   // ud2
  const RealModeImage jumps{"jumps", {0xEA, 0x00, 0x01, 0x00, 0x00}};  // jmp 0:0x100
  EXPECT_THAT(diagnose(run(jumps)).findings, Contains("it executed the IVT (0x0-0x3ff) as code"));
  // An image may be there.
  const RealModeImage undefined{"undefined", {0x0F, 0x0B}};
  EXPECT_THAT(diagnose(run(undefined.loaded_at(Gpa{0x200}))).findings,
              Not(Contains(HasSubstr("IVT"))));
}

// Where KVM executes INT n, it is a triple fault, whose report has the same words.
TEST_F(InterruptFindingsTest, AnIntThatTheIdtHasNoGateFor) {
  machine().registers().idt->limit = 0x21 * 8 - 1;
  const Outcome outcome = run(ProtectedModeImage{"int", {0xCD, 0x21, 0xF4}});
  const Diagnosis diagnosis = diagnose(outcome);
  if (std::holds_alternative<HostLimit>(outcome.stop)) {
    EXPECT_THAT(diagnosis.findings,
                Contains(AllOf(HasSubstr("a processor could not deliver `int 0x21` either: "),
                               HasSubstr("IDT"))));
  } else {
    EXPECT_THAT(to_text(diagnosis), HasSubstr("IDT"));
  }
  machine().registers().idt->limit = 0x22 * 8 - 1;
  EXPECT_THAT(diagnose(run(ProtectedModeImage{"int", {0xCD, 0x21, 0xF4}})).findings,
              Not(Contains(HasSubstr("a processor could not deliver"))));
}

TEST_F(FindingsTest, TheLastInstructionOfAnImageWithoutHltIsToldHoweverFarTheGuestRan) {
  const Outcome outcome =
      run(RealModeImage{"no_hlt", {0xB8, 0x01, 0x00, 0x05, 0x02, 0x00}});  // mov ax, 1; add ax, 2
  ASSERT_FALSE(outcome.halted());
  const Diagnosis diagnosis = diagnose(outcome);
  ASSERT_TRUE(diagnosis.left_image_at.has_value()) << to_text(diagnosis);
  EXPECT_EQ(diagnosis.left_image_at->address, Gva{0x1003});
}

TEST_F(FindingsTest, TheIvtEndsAt3FF) {
  memory().write<std::uint16_t>(Gpa{0x3FF}, 0x0B0F);                 // ud2
  const RealModeImage last{"last", {0xEA, 0xFF, 0x03, 0x00, 0x00}};  // jmp 0:0x3ff
  EXPECT_THAT(diagnose(run(last)).findings, Contains(HasSubstr("IVT")));
  memory().write<std::uint16_t>(Gpa{0x400}, 0x0B0F);
  const RealModeImage beyond{"beyond", {0xEA, 0x00, 0x04, 0x00, 0x00}};  // jmp 0:0x400
  EXPECT_THAT(diagnose(run(beyond)).findings, Not(Contains(HasSubstr("executed the IVT"))));
}

}  // namespace
