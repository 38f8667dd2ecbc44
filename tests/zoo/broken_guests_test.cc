// A zoo of broken guests: each makes one mistake, at its label `fault`, and is told the vector, the
// error code, the instruction, the source line and the cause of it.
#include <hltest/hltest.h>

#include <regex>

#include "../host_limits.h"
#include "guests/broken_long.h"
#include "guests/broken_protected.h"
#include "guests/broken_real.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Broken {
  FlatImage image;
  Vector vector;
  std::optional<std::uint32_t> error_code;
  const char* instruction;
  const char* cause;
  void (*prepare)(Machine& machine) = nullptr;
};

void PrintTo(const Broken& broken, std::ostream* stream) { *stream << broken.image.name(); }

std::string name_of(const ::testing::TestParamInfo<Broken>& info) {
  return std::string{info.param.image.name()};
}

// QEMU's TCG checks neither segment limits nor null selectors, raises #GP for the #SS, and its
// whole machine stops at the last.
bool takes_a_real_processor(std::string_view name) {
  return name == "real_word_beyond_segment" || name == "null_data" ||
         name == "stack_not_canonical" || name == "long_mode_without_pae";
}

bool is_this_fault(const Outcome& outcome, const Broken& broken) {
  const auto* const exception = std::get_if<Exception>(&outcome.stop);
  return exception != nullptr && exception->vector == broken.vector;
}

// QEMU's TCG leaves P out where RSVD is set.
std::optional<std::uint32_t> without_quirks(const Exception& exception) {
  constexpr std::uint32_t kReserved = 8;
  if (exception.vector != Vector::kPageFault || !exception.error_code) return exception.error_code;
  const bool reserved = (*exception.error_code & kReserved) != 0;
  return reserved ? *exception.error_code | 1U : exception.error_code;
}

// The processor may have set A and D in an entry on its way.
std::string without_accessed(const std::string& cause) {
  static const std::regex kEntry{R"( \(0x[0-9a-f]+\))"};
  return cause.find("at CPL") == std::string::npos ? cause : std::regex_replace(cause, kEntry, "");
}

void expect_told(const Outcome& outcome, const Broken& broken) {
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  ASSERT_TRUE(is_this_fault(outcome, broken)) << outcome;
  const auto& exception = std::get<Exception>(outcome.stop);
  EXPECT_EQ(without_quirks(exception), broken.error_code);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(without_accessed(diagnosis.cause), broken.cause);
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->label, "fault");
  EXPECT_EQ(outcome.source()->line.file, std::string{outcome.guest} + ".asm");
  EXPECT_THAT(outcome.source()->line.text, ::testing::StartsWith("fault:"));
  EXPECT_EQ(outcome.stop_address(), outcome.image->address("fault"));

  const std::string text = to_text(diagnosis);
  EXPECT_THAT(text, HasSubstr(broken.instruction));
  const std::size_t cause = text.find("\ncause: ");
  ASSERT_NE(cause, std::string::npos) << text;
  constexpr std::ptrdiff_t kFirstLines = 15;
  EXPECT_LT(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cause), '\n'),
            kFirstLines);
}

template <typename Fixture>
class Zoo : public Fixture, public ::testing::WithParamInterface<Broken> {
 protected:
  void run_and_expect() {
    const Broken& broken = GetParam();
    if (takes_a_real_processor(broken.image.name()) && !HostCan(Ability::kSegmentLimitChecks)) {
      GTEST_SKIP() << "this processor is emulated, and does not check that";
    }
    if (broken.prepare != nullptr) broken.prepare(this->machine());
    const Outcome outcome = this->machine().run(broken.image);
    expect_told(outcome, broken);
  }
};

class RealModeZoo : public Zoo<RealModeTest> {};
TEST_P(RealModeZoo, IsTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, RealModeZoo,
    ::testing::Values(
        Broken{guests::real_divide_by_zero, Vector::kDivideError, std::nullopt, "div bx",
               "the divisor bx is 0"},
        Broken{guests::real_quotient_too_large, Vector::kDivideError, std::nullopt, "div bx",
               "the quotient of DX:AX = 0x5:0x1 and divisor bx (0x2) does not fit in 16 bits"},
        Broken{guests::real_runs_into_data, Vector::kInvalidOpcode, std::nullopt, "db 0x0f",
               "0f 0a ff ff is not an instruction"},
        Broken{guests::real_lock_without_memory, Vector::kInvalidOpcode, std::nullopt, "f0",
               "LOCK requires an instruction that reads and writes memory"},
        Broken{guests::real_word_beyond_segment, Vector::kGeneralProtection, std::nullopt,
               "mov ax, [bx]", "the 2 bytes at DS:0xffff are beyond the limit of DS, 0xffff"},
        Broken{guests::real_load_task_register, Vector::kInvalidOpcode, std::nullopt, "db 0x0f",
               "`ltr ax` requires protected mode"},
        Broken{guests::paging_without_protection, Vector::kGeneralProtection, std::nullopt,
               "mov cr0, eax", "cr0 = 0x80000010: PG without PE"}),
    name_of);

class ProtectedModeZoo : public Zoo<ProtectedModeTest> {};
TEST_P(ProtectedModeZoo, IsTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, ProtectedModeZoo,
    ::testing::Values(
        Broken{guests::selector_beyond_gdt, Vector::kGeneralProtection, 0x1000, "mov ds, ax",
               "selector 0x1000 is beyond the end of the GDT, whose limit is 0x6f"},
        Broken{guests::stack_is_code, Vector::kGeneralProtection, 0x08, "mov ss, ax",
               "GDT entry 0x8 is a 32-bit code segment, base 0x0, limit 0xffffffff, readable, not "
               "conforming, DPL 0, present: SS requires writable data"},
        Broken{guests::null_stack, Vector::kGeneralProtection, 0, "mov ss, ax",
               "selector 0x0 is a null selector (index 0), which SS can't be loaded with"},
        Broken{guests::null_data, Vector::kGeneralProtection, 0, "mov eax, es:[0x1000]",
               "ES holds a null selector (0x0), which gives no access to memory"},
        Broken{guests::jump_to_data, Vector::kGeneralProtection, 0x10, "jmp far",
               "GDT entry 0x10 is a 32-bit data segment, base 0x0, limit 0xffffffff, writable, not "
               "expand-down, DPL 0, present: a far transfer requires code or a gate"},
        Broken{guests::jump_to_null, Vector::kGeneralProtection, 0, "jmp far",
               "selector 0x0 is a null selector (index 0), which CS can't be loaded with"},
        Broken{guests::long_mode_without_pae, Vector::kGeneralProtection, 0, "mov cr0, eax",
               "cr0 = 0x80000031: PG with EFER.LME but without CR4.PAE"},
        Broken{guests::no_such_msr_read, Vector::kGeneralProtection, 0, "rdmsr",
               "MSR 0x12345678: this processor has no such MSR"},
        Broken{guests::efer_reserved_bit, Vector::kGeneralProtection, 0, "wrmsr",
               "IA32_EFER (0xc0000080) = 0x20: a reserved bit is set"},
        Broken{guests::sse_not_enabled, Vector::kInvalidOpcode, std::nullopt,
               "movaps xmm0, [0x2000]", "movaps requires CR4.OSFXSR"},
        Broken{guests::fpu_task_switched, Vector::kDeviceNotAvailable, std::nullopt,
               "movd mm0, eax",
               "CR0.TS is 1: the unit may still hold another task's state (CLTS clears it)"},
        Broken{guests::load_ldt_from_data, Vector::kGeneralProtection, 0x10, "lldt ax",
               "GDT entry 0x10 is a 32-bit data segment, base 0x0, limit 0xffffffff, writable, not "
               "expand-down, DPL 0, present: LLDT requires an LDT"},
        Broken{guests::load_busy_tss, Vector::kGeneralProtection, 0x40, "ltr ax",
               "GDT entry 0x40 is a 32-bit TSS, base 0xf0003000, limit 0x67, busy, DPL 0, present: "
               "LTR requires a TSS that is not busy"},
        Broken{guests::no_ldt, Vector::kGeneralProtection, 0x0C, "mov fs, ax",
               "selector 0xc is of the LDT, and there is none"}),
    name_of);

void at_cpl_3(Machine& machine) { machine.set_cpl(3); }
void map_read_only(Machine& machine) {
  machine.map({.gva = Gva{0x40000000}, .gpa = Gpa{0x5000}, .flags = kReadOnly});
}

class LongModeZoo : public Zoo<LongModeTest> {};
TEST_P(LongModeZoo, IsTold) { run_and_expect(); }
INSTANTIATE_TEST_SUITE_P(
    Broken, LongModeZoo,
    ::testing::Values(
        Broken{guests::read_unmapped_page, Vector::kPageFault, 0, "mov rax, [rbx]",
               "the read of 0x40000000 at CPL 0: its PDPTE at 0xf0007008 is not present"},
        Broken{guests::write_through_null, Vector::kPageFault, 2, "mov byte ptr [rbx], 0x1",
               "the write to 0xffff800000000000 at CPL 0: its PML4E at 0xf0006800 is not "
               "present"},
        Broken{guests::not_canonical, Vector::kGeneralProtection, 0, "mov rax, [rbx]",
               "the address 0x800000000000 is not canonical"},
        Broken{guests::stack_not_canonical, Vector::kStackFault, 0, "push rax",
               "the stack address 0x7ffffffffffffff8 is not canonical"},
        Broken{guests::clears_pae, Vector::kGeneralProtection, 0, "mov cr4, rax",
               "cr4 = 0x0: PAE can't be cleared in IA-32e mode"},
        Broken{guests::clears_paging_in_64_bit, Vector::kGeneralProtection, 0, "mov cr0, rax",
               "cr0 = 0x10033: PG can't be cleared in 64-bit mode"},
        Broken{guests::changes_lme, Vector::kGeneralProtection, 0, "wrmsr",
               "IA32_EFER (0xc0000080) = 0xc00: LME can't be changed while CR0.PG is 1"},
        Broken{guests::instruction_of_32_bit_code, Vector::kInvalidOpcode, std::nullopt, "db 0x60",
               "60 is not an instruction in 64-bit code (in 32-bit code it is `pushad`)"},
        Broken{guests::syscall_not_enabled, Vector::kInvalidOpcode, std::nullopt, "syscall",
               "syscall requires EFER.SCE"},
        Broken{guests::divide_memory_by_zero, Vector::kDivideError, std::nullopt, "div [0x2000]",
               "the divisor at 0x2000 is 0"},
        Broken{guests::quotient_of_128_bits, Vector::kDivideError, std::nullopt, "div rcx",
               "the quotient of RDX:RAX = 0x9:0x0 and divisor rcx (0x3) does not fit in 64 bits"},
        Broken{guests::user_reads_kernel, Vector::kPageFault, 5, "mov rax, [rbx]",
               "the read of 0xf0000000 at CPL 3: its PDPTE at 0xf0007018 is "
               "supervisor-only (U/S = 0)",
               at_cpl_3},
        Broken{guests::user_clears_interrupts, Vector::kGeneralProtection, 0, "cli",
               "cli requires CPL <= IOPL: CPL is 3, IOPL 0", at_cpl_3},
        Broken{guests::user_loads_cr3, Vector::kGeneralProtection, 0, "mov cr3, rax",
               "mov cr3, rax requires CPL 0, and CPL is 3", at_cpl_3},
        Broken{guests::user_loads_kernel_data, Vector::kGeneralProtection, 0x10, "mov fs, ax",
               "GDT entry 0x10 is a 32-bit data segment, base 0x0, limit 0xffffffff, writable, not "
               "expand-down, DPL 0, present: a data segment requires a DPL of at least CPL and "
               "RPL: DPL is 0, "
               "CPL 3, RPL 0",
               at_cpl_3},
        Broken{
            guests::user_out, Vector::kGeneralProtection, 0, "out 0x80, al",
            "out requires CPL <= IOPL (CPL is 3, IOPL 0) or a 0 in the TSS's I/O permission bitmap",
            at_cpl_3},
        Broken{guests::write_to_read_only, Vector::kPageFault, 3, "mov [rbx], eax",
               "the write to 0x40000000 at CPL 0: its PDPTE at 0xf0007008 is read-only "
               "(R/W = 0)",
               map_read_only},
        Broken{guests::reserved_bit_in_entry, Vector::kPageFault, 9, "mov rax, [0x200000]",
               "the read of 0x200000 at CPL 0: its PDE at 0xf0008008 has a reserved bit "
               "set: 0x2000"}),
    name_of);

// Intel's processors fault at the jump, AMD's where it goes.
TEST_F(LongModeTest, AJumpToAnAddressThatIsNotCanonical) {
  const Outcome outcome = run(guests::jump_not_canonical);
  ASSERT_THAT(outcome, Raised(GeneralProtection{.error_code = 0}));
  EXPECT_THAT(diagnose(outcome).cause,
              ::testing::AnyOf("jmp goes to 0xffff80001000, which is not canonical",
                               "RIP is 0xffff80001000, which is not canonical: a jump, call or "
                               "return went there"));
}

// The page's own first byte is what can't be fetched: no source line has it.
TEST_F(LongModeTest, AFetchFromANoExecutePage) {
  machine().map({.gva = Gva{0x40000000}, .gpa = Gpa{0x5000}, .flags = kReadWrite | kNoExecute});
  const Outcome outcome = run(guests::fetch_from_no_execute);
  ASSERT_THAT(outcome, Raised(PageFault{.address = Gva{0x40000000}, .error_code = 0x11}));
  EXPECT_THAT(diagnose(outcome).cause, AllOf(HasSubstr("the fetch from 0x40000000 at CPL 0: its P"),
                                             HasSubstr("forbids execution (XD = 1)")));
}

// A wrong expectation prints both sides decoded.
TEST_F(ProtectedModeTest, ASelectorIsExpected) {
  const Outcome outcome = run(guests::selector_beyond_gdt);
  EXPECT_THAT(outcome, Raised(GeneralProtection{.selector = 0x1003})) << "the RPL does not count";
  EXPECT_THAT(outcome, Not(Raised(GeneralProtection{.selector = 0x18})));
  EXPECT_THAT(outcome, Not(Raised(GeneralProtection{.selector = 0x1004})));
}

}  // namespace
