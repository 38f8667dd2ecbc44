// The zoo's second house: guests that go wrong where nothing catches it, on the way from one mode
// to another or with tables of their own. A replay finds what a triple fault began with, on every
// KVM.
#include <hltest/hltest.h>

#include "../host_limits.h"
#include "guests/broken_long.h"
#include "guests/broken_protected.h"
#include "guests/broken_real.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Broken {
  FlatImage image;
  Vector vector;
  std::optional<std::uint32_t> error_code;
  const char* mode;
  const char* instruction;
  const char* cause;
  const char* undelivered;
  const char* remark = "";
};

void PrintTo(const Broken& broken, std::ostream* stream) { *stream << broken.image.name(); }

std::string name_of(const ::testing::TestParamInfo<Broken>& info) {
  return std::string{info.param.image.name()};
}

void expect_told(const Outcome& outcome, const Broken& broken) {
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  ASSERT_THAT(outcome, TripleFaulted());
  const Diagnosis diagnosis = diagnose(outcome);
  const std::string text = to_text(diagnosis);
  ASSERT_TRUE(diagnosis.fault.has_value()) << text;
  EXPECT_EQ(diagnosis.fault->vector, broken.vector);
  EXPECT_EQ(diagnosis.fault->error_code, broken.error_code);
  EXPECT_EQ(diagnosis.cause, broken.cause);
  EXPECT_THAT(diagnosis.undelivered, HasSubstr(broken.undelivered));
  ASSERT_TRUE(diagnosis.place.has_value()) << text;
  EXPECT_EQ(diagnosis.place->mode, broken.mode);
  EXPECT_EQ(diagnosis.remark, broken.remark);
  ASSERT_TRUE(diagnosis.place->source.has_value()) << text;
  EXPECT_EQ(diagnosis.place->source->label, "fault");
  EXPECT_THAT(diagnosis.place->source->line.text, StartsWith("fault:"));

  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_THAT(diagnosis.history, ::testing::Not(IsEmpty()));

  // All that matters stands on the first lines.
  EXPECT_THAT(text, StartsWith(std::string{outcome.guest} + " ended: triple fault after " +
                               mnemonic(broken.vector)));
  EXPECT_THAT(text, HasSubstr(std::string{"  "} + broken.instruction));
  const std::size_t cause = text.find("\ncause: ");
  ASSERT_NE(cause, std::string::npos) << text;
  constexpr std::ptrdiff_t kFirstLines = 15;
  EXPECT_LT(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cause), '\n'),
            kFirstLines);
  EXPECT_THAT(text, HasSubstr("\nnot delivered: "));
}

template <typename Fixture>
class Zoo : public Fixture, public ::testing::WithParamInterface<Broken> {
 protected:
  void run_and_expect() {
    const Broken& broken = GetParam();
    // A software KVM takes its time to jump to an address that is not canonical.
    this->machine().set_timeout(std::chrono::seconds{30});
    expect_told((this->machine().run(broken.image)), broken);
  }
};

class RealModeTripleFaults : public Zoo<RealModeTest> {};
TEST_P(RealModeTripleFaults, AreTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, RealModeTripleFaults,
    ::testing::Values(
        Broken{guests::gdt_limit_too_short, Vector::kGeneralProtection, 0x10, "protected32",
               "mov ds, ax", "selector 0x10 is beyond the end of the GDT, whose limit is 0xf",
               "IDTR still has its real-mode value (base 0x0, limit 0x3ff)"},
        Broken{guests::gdt_read_through_wrong_ds, Vector::kGeneralProtection, 0x08, "protected16",
               "jmp far", "selector 0x8 is beyond the end of the GDT, whose limit is 0x0",
               "the IDT entry for #GP (vector 0xd) is not a gate: reserved"},
        Broken{guests::far_jump_to_data, Vector::kGeneralProtection, 0x10, "protected16", "jmp far",
               "GDT entry 0x10 is a 32-bit data segment, base 0x0, limit 0xffffffff, writable, not "
               "expand-down, DPL 0, present: a far transfer requires code or a gate",
               "IDTR still has its real-mode value"},
        Broken{guests::selector_is_an_index, Vector::kGeneralProtection, 0, "protected16",
               "jmp far",
               "selector 0x1 is a null selector (index 0), which CS can't be loaded with",
               "IDTR still has its real-mode value"},
        Broken{guests::bits_32_before_the_jump, Vector::kGeneralProtection, 0, "protected16",
               "jmp far",
               "selector 0x0 is a null selector (index 0), which CS can't be loaded with",
               "IDTR still has its real-mode value",
               "the code there was assembled for 32 bits, and CS (0x0, L = 0, D = 0) makes the "
               "processor execute it as 16-bit code"}),
    name_of);

class ProtectedModeTripleFaults : public Zoo<ProtectedModeTest> {};
TEST_P(ProtectedModeTripleFaults, AreTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, ProtectedModeTripleFaults,
    ::testing::Values(
        Broken{guests::cr3_points_elsewhere, Vector::kPageFault, 0, "compatibility32", "jmp",
               "the fetch from 0x1048 at CPL 0: CR3 points at 0x7000, which holds zeros",
               "the IDT at 0xf0001000 is not mapped: not present"},
        Broken{guests::pml4e_not_present, Vector::kPageFault, 0, "compatibility32", "jmp",
               "the fetch from 0x1048 at CPL 0: its PML4E at 0x8000 (0x9002) is not present",
               "the IDT at 0xf0001000 is not mapped"},
        Broken{guests::large_page_without_ps, Vector::kPageFault, 0, "compatibility32", "jmp",
               "the fetch from 0x1048 at CPL 0: its PTE at 0x8 (0x0) is not present",
               "the IDT at 0xf0001000 is not mapped"},
        Broken{guests::no_far_jump_to_64_bit, Vector::kGeneralProtection, 0, "compatibility32",
               "mov ss, ax",
               "selector 0x0 is a null selector (index 0), which SS can't be loaded with outside "
               "64-bit code, and CS.L is 0",
               "the IDT at 0xf0001000 is not mapped",
               "the code there was assembled for 64 bits, and CS (0x8, L = 0, D = 1) makes the "
               "processor execute it as 32-bit code"},
        Broken{guests::lidt_of_the_table, Vector::kInvalidOpcode, std::nullopt, "protected32",
               "ud2", "ud2 always raises #UD", "the IDT at 0x8e000008 is where there is no memory"},
        Broken{guests::idt_gate_not_present, Vector::kDivideError, std::nullopt, "protected32",
               "div ebx", "the divisor ebx is 0", "the gate for #DE (vector 0x0) is not present"},
        Broken{guests::no_tss_in_gdt, Vector::kGeneralProtection, 0x28, "protected32", "ltr ax",
               "selector 0x28 is beyond the end of the GDT, whose limit is 0x7",
               "the handler's selector 0x8 is beyond the end of the GDT (limit 0x7)"}),
    name_of);

class LongModeTripleFaults : public Zoo<LongModeTest> {};
TEST_P(LongModeTripleFaults, AreTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, LongModeTripleFaults,
    ::testing::Values(
        Broken{guests::handler_keeps_the_error_code, Vector::kGeneralProtection, 0x1010, "long64",
               "iretq",
               "selector 0x1010, which iretq pops into CS, is beyond the end of the "
               "GDT, whose limit is 0x6f",
               "the IDT entry for #GP (vector 0xd) is not a gate: null descriptor"},
        Broken{guests::iretd_in_64_bit_code, Vector::kGeneralProtection, 0, "long64", "iretd",
               "iretd pops 0x0 into CS, a null selector; 64-bit code returns by "
               "IRETQ",
               "ends before the gate for #GP"},
        Broken{guests::idt_of_8_byte_gates, Vector::kDivideError, std::nullopt, "long64", "div ebx",
               "the divisor ebx is 0",
               "the handler's address in the gate for #DE (vector 0x0), 0x18100000001000, is not "
               "canonical"},
        Broken{guests::stack_not_mapped, Vector::kPageFault, 2, "long64", "call",
               "the write to 0x3ffffff8 at CPL 0: its PDE at 0xf0008ff8 (0x0) is not present",
               "the IDT at 0x0 ends before the gate for #PF (vector 0xe): its limit is 0x0"}),
    name_of);

TEST_F(LongModeTest, AGdtThatIsNotMappedAnyMore) {
  constexpr std::uint64_t kHigh = 0xFFFF'8000'0000'0000;
  machine().set_page_tables_at(Gpa{0x200000});
  machine().map({.gva = Gva{kHigh}, .gpa = Gpa{0}, .size = 16 * kMiB, .flags = kReadWrite});
  const Outcome outcome =
      (run(guests::gdt_below_the_higher_half.entered_at(Gva{kHigh + kLoadAddress.value()})));

  ASSERT_THAT(outcome, TripleFaulted());
  const Diagnosis diagnosis = diagnose(outcome);
  ASSERT_TRUE(diagnosis.fault.has_value()) << to_text(diagnosis);
  EXPECT_EQ(diagnosis.fault->vector, Vector::kPageFault);
  EXPECT_EQ(diagnosis.fault->address, Gva{0x2010});
  EXPECT_EQ(diagnosis.place->source->label, "fault");
  EXPECT_THAT(diagnosis.cause, StartsWith("the read of 0x2010 at CPL 0: its PML4E at 0x200000"));
}

TEST_F(ProtectedModeTest, AJumpToZerosIsToldByTheLastInstructionInTheImage) {
  const Outcome outcome = run(guests::jumps_to_zeros);
  ASSERT_TRUE(std::holds_alternative<UnbackedFetch>(outcome.stop)) << outcome;
  const Diagnosis diagnosis = diagnose(outcome);
  ASSERT_TRUE(diagnosis.left_image_at.has_value());
  EXPECT_EQ(diagnosis.left_image_at->instruction, "jmp eax");
  EXPECT_THAT(report(outcome), HasSubstr("the last instruction in the image: `jmp eax` at 0x1005, "
                                         "jumps_to_zeros.asm"));
}

TEST_F(RealModeTest, OverwrittenCodeIsToldWithWhatOverwroteIt) {
  const Outcome outcome = run(guests::clears_itself);
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.source()->label, "fault");
  EXPECT_THAT(diagnose(outcome).findings,
              ElementsAre("the code at 0x100a was overwritten by `rep stosb` at 0x1008, "
                          "clears_itself.asm:8: the image has `hlt` there"));
}

TEST_F(RealModeTest, AHaltInCodeForAnotherSizeIsTold) {
  const Outcome outcome = run(guests::halts_in_32_bit_code);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(diagnose(outcome).remark,
            "the code there was assembled for 32 bits, and CS (0x0, L = 0, D = 0) makes the "
            "processor execute it as 16-bit code");
  EXPECT_THAT(report(outcome), HasSubstr("the code there was assembled for 32 bits"));
}

// mov al, 1; jmp CODE16:0x1009; ud2
TEST_F(ProtectedModeTest, OfBytesWithoutASourceNothingIsSaid) {
  const Outcome outcome = run(
      ProtectedModeImage{"jumps", {0xB0, 1, 0xEA, 9, 0x10, 0, 0, kCode16Selector, 0, 0x0F, 0x0B}});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_EQ(mode_name(outcome.registers), "protected16") << report(outcome);
  EXPECT_EQ(diagnose(outcome).remark, "");
}

TEST_F(RealModeTest, AStackInTheCodeIsTold) {
  const Outcome outcome = run(guests::stack_runs_into_code);
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.source()->label, "fault");
  EXPECT_THAT(diagnose(outcome).findings,
              ElementsAre("the code at 0x100a was overwritten by `push ax` at 0x1009, "
                          "stack_runs_into_code.asm:10: the image has `nop` there",
                          "the stack has run into the image (0x1000-0x1010): its pointer is "
                          "0x1009"));
}

// inc byte [0x1006]; ud2; then the byte, which the decoder reads with the UD2.
TEST_F(RealModeTest, DataBesideTheCodeMayChange) {
  const Outcome outcome = run(RealModeImage{"counts", {0xFE, 0x06, 0x06, 0x10, 0x0F, 0x0B, 0}});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_THAT(diagnose(outcome).findings, ElementsAre());
}

TEST_F(ProtectedModeTest, AnEmptyStackMayEndWithTheMemory) {
  const Outcome outcome = run(ProtectedModeImage{"ud2", {0x0F, 0x0B}}, {.rsp = 16 * kMiB});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_THAT(diagnose(outcome).findings, ElementsAre());
}

}  // namespace
