// The screen that a failed test prints.
#include <hltest/hltest.h>
#include "machine/report_colour.h"

#include <sstream>

namespace {

using namespace hltest;
using ::testing::HasSubstr;

Outcome divide_error() {
  Outcome outcome;
  outcome.guest = "average";
  outcome.stop = Exception{.vector = Vector::kDivideError, .rip = 0x1003};
  Registers& registers = outcome.registers;
  registers.rax = 0x12345678;
  registers.rsp = 0xFFF0;
  registers.rip = 0x1003;
  registers.rflags.value = 0x46;
  registers.cr0.value = 0x10;
  registers.set_all_segments(Segment::real_mode(0));
  registers.idt = {Gva{0}, 0x3FF};
  outcome.start_mode = outcome.end_mode = "real16";
  outcome.code = {.start = Gva{0x1000},
                  .bytes = {0x66, 0x31, 0xC9, 0x66, 0xF7, 0xF1, 0xF4},
                  .starts_at_instruction = true};
  for (const char c : std::string{"sum: \n"}) {
    outcome.ports.add({.port = kCom1, .value = static_cast<std::uint32_t>(c)});
  }
  outcome.ports.add({.port = 0x64, .direction = Direction::kIn, .scripted = false, .value = 0xFF});
  outcome.ports.add({.port = 0x64, .direction = Direction::kIn, .scripted = false, .value = 0xFF});
  outcome.mmio.push_back({.gpa = Gpa{0xFEE00000}, .size = 4, .handled = false, .value = 1});
  return outcome;
}

TEST(ReportTest, OneScreenTellsWhatHappened) {
  EXPECT_EQ(report(divide_error()),
            R"(average ended: #DE (divide error, vector 0)
at 0x1003 (CS:RIP 0000:1003, real16)

      0x1000  66 31 c9                  xor ecx, ecx
>     0x1003  66 f7 f1                  div ecx
      0x1006  f4                        hlt

eax 12345678  ebx 00000000  ecx 00000000  edx 00000000
esi 00000000  edi 00000000  esp 0000fff0  ebp 00000000
rip 1003  rflags 46 [PF ZF]  cpl 0
cs 0000 base 0   ss 0000 base 0   ds 0000 base 0
es 0000 base 0   fs 0000 base 0   gs 0000 base 0
cr0 10  cr2 0  cr3 0  cr4 0  efer 0
gdt base 0 limit 0   idt base 0 limit 3ff

out 0x03f8  6 bytes: 73 75 6d 3a 20 0a "sum: \n"
in 0x64, byte 0xff (floating bus), 2 times
mmio write 0xfee00000, 4 bytes: 0x1 (nothing there)
)");
}

// However much a guest does, and whatever its registers are.
TEST(ReportTest, FitsEightyColumnsAndFiftyLines) {
  Outcome outcome = divide_error();
  Registers& registers = outcome.registers;
  registers.rax = registers.r15 = ~0ULL;
  registers.rip = registers.cr3.value = registers.efer.value = ~0ULL;
  registers.cr0.value = registers.cr4.value = registers.rflags.value = ~0ULL;
  registers.cr2 = registers.gdt.base = registers.idt.base = Gva{~0ULL};
  registers.gdt.limit = registers.idt.limit = 0xFFFF;
  registers.set_all_segments({.selector = 0xFFFF, .base = Gva{~0ULL}, .l = true});
  outcome.stop = InternalError{.suberror = 1, .data = std::vector<std::uint64_t>(16, ~0ULL)};
  outcome.end_mode = "compatibility32_user";
  for (unsigned port = 0; port < 100; ++port) {
    for (int i = 0; i < 300; ++i) {
      outcome.ports.add({.port = static_cast<Port>(port), .value = static_cast<std::uint32_t>(i)});
    }
    outcome.ports.add({.port = static_cast<Port>(port),
                       .direction = Direction::kIn,
                       .size = 4,
                       .scripted = false,
                       .value = ~0U});
  }
  for (unsigned i = 0; i < 100; ++i) {
    outcome.mmio.push_back({.gpa = Gpa{~0ULL - i}, .size = 8, .handled = false, .value = ~0ULL});
  }

  std::istringstream lines{report(outcome)};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_LE(count, 50);
}

TEST(ReportTest, ColourMakesTheReasonAndTheCauseStandOut) {
  EXPECT_EQ(coloured("a ended: triple\n  fault\nat 0x0\ncause: it is\n  null\n\n  0x0  nop\n> 0x1  "
                     "ud2\n"),
            "\x1b[1;31ma ended: triple\x1b[0m\n\x1b[1;31m  fault\x1b[0m\nat 0x0\n"
            "\x1b[1mcause: it is\x1b[0m\n\x1b[1m  null\x1b[0m\n\n  0x0  nop\n"
            "\x1b[1;33m> 0x1  ud2\x1b[0m\n");
  EXPECT_EQ(coloured("a halted\nat 0x0\n"), "\x1b[1ma halted\x1b[0m\nat 0x0\n");
  EXPECT_EQ(coloured(""), "");
}

TEST(ReportTest, EscapesWhatIsNotText) {
  EXPECT_EQ(escape("a\"\\\n\r\t\x01\x80"), "a\\\"\\\\\\n\\r\\t\\x01\\x80");
}

}  // namespace
