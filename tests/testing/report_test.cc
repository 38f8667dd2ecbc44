// The screen that a failed test prints.
#include <hltest/hltest.h>

#include <sstream>

namespace {

using namespace hltest;
using ::testing::HasSubstr;

Diagnosis divide_error() {
  Diagnosis diagnosis;
  diagnosis.stop = Exception{.vector = Vector::kDivideError, .rip = 0x1003};
  diagnosis.headline = "average ended: " + describe(diagnosis.stop);
  Diagnosis::Place place{.address = Gva{0x1003}, .mode = "real16"};
  Registers& registers = place.registers;
  registers.rax = 0x12345678;
  registers.rsp = 0xFFF0;
  registers.rip = 0x1003;
  registers.rflags.value = 0x46;
  registers.cr0.value = 0x10;
  registers.set_all_segments(Segment::real_mode(0));
  registers.idt = {Gva{0}, 0x3FF};
  place.code = {{Gva{0x1000}, {0x66, 0x31, 0xC9}, "xor ecx, ecx"},
                {Gva{0x1003}, {0x66, 0xF7, 0xF1}, "div ecx"},
                {Gva{0x1006}, {0xF4}, "hlt"}};
  diagnosis.place = place;
  for (const char c : std::string{"sum: \n"}) {
    diagnosis.accesses.add(Access::out(kCom1, 1, static_cast<unsigned>(c)));
  }
  for (int i = 0; i < 2; ++i) {
    diagnosis.accesses.add(
        {.direction = Direction::kRead, .answered = false, .address = 0x64, .value = 0xFF});
  }
  diagnosis.accesses.add(
      {.space = Space::kMmio, .size = 4, .answered = false, .address = 0xFEE00000, .value = 1});
  return diagnosis;
}

TEST(ReportTest, OneScreenTellsWhatHappened) {
  EXPECT_EQ(to_text(divide_error()),
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

// Two dots say that there are more bytes than these.
TEST(ReportTest, ShowsTheFirstTwelveBytesOfAPort) {
  Diagnosis diagnosis = divide_error();
  for (unsigned i = 0; i < 12; ++i) diagnosis.accesses.add(Access::out(0x80, 1, 'a'));
  EXPECT_THAT(to_text(diagnosis),
              HasSubstr("12 bytes: 61 61 61 61 61 61 61 61 61 61 61 61 \"aaaaaaaaaaaa\"\n"));
  diagnosis.accesses.add(Access::out(0x80, 1, 'b'));
  EXPECT_THAT(to_text(diagnosis),
              HasSubstr("13 bytes: 61 61 61 61 61 61 61 61 61 61 61 61 .. \"aaaaaaaaaaaab\"\n"));
}

// However much a guest does, and whatever its registers are.
TEST(ReportTest, FitsEightyColumnsAndFiftyLines) {
  Diagnosis diagnosis = divide_error();
  Registers& registers = diagnosis.place->registers;
  registers.rax = registers.r15 = ~0ULL;
  registers.rip = registers.cr3.value = registers.efer.value = ~0ULL;
  registers.cr0.value = registers.cr4.value = registers.rflags.value = ~0ULL;
  registers.cr2 = registers.gdt.base = registers.idt.base = Gva{~0ULL};
  registers.gdt.limit = registers.idt.limit = 0xFFFF;
  registers.set_all_segments({.selector = 0xFFFF, .base = Gva{~0ULL}, .l = true});
  diagnosis.stop = InternalError{.suberror = 1, .data = std::vector<std::uint64_t>(16, ~0ULL)};
  diagnosis.headline = std::string(90, 'n') + " ended: " + describe(diagnosis.stop);
  diagnosis.place->mode = "compatibility32_user";
  diagnosis.place->source =
      SourcePlace{.line = {.file = "f.asm", .line = 7, .text = std::string(200, 'x')}, .label = ""};
  for (unsigned port = 0; port < 100; ++port) {
    for (unsigned i = 0; i < 300; ++i) {
      diagnosis.accesses.add(Access::out(static_cast<Port>(port), 1, i & 0xFF));
    }
    diagnosis.accesses.add(
        {.direction = Direction::kRead, .size = 4, .answered = false, .address = port});
  }
  for (unsigned i = 0; i < 100; ++i) {
    diagnosis.accesses.add(
        {.space = Space::kMmio, .size = 8, .address = ~0ULL - i, .value = ~0ULL});
    diagnosis.accesses.add({.space = Space::kMsr, .size = 8, .address = i, .value = ~0ULL});
  }
  HistoryStep step{.address = Gva{0x1000}, .instruction = std::string(90, 'i')};
  for (int i = 0; i < 40; ++i) diagnosis.history.push_back(step);

  std::istringstream lines{to_text(diagnosis)};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_LE(count, 50);
}

// The history has room for 16 characters of file and line.
TEST(ReportTest, ALongFilesNameIsCutAtItsBeginning) {
  Diagnosis diagnosis = divide_error();
  const auto step_in = [](const std::string& file) {
    HistoryStep step{.address = Gva{0x1000}, .instruction = "nop"};
    step.source.emplace();
    step.source->line.file = file;
    step.source->line.line = 1;
    return step;
  };
  diagnosis.history = {step_in("abcdefghij.asm"), step_in("abcdefghijk.asm")};
  const std::string text = to_text(diagnosis);
  EXPECT_THAT(text, HasSubstr(" abcdefghij.asm:1"));
  EXPECT_THAT(text, HasSubstr(" ..defghijk.asm:1"));
}

TEST(ReportTest, ColourMakesTheReasonAndTheCauseStandOut) {
  Diagnosis diagnosis = divide_error();
  diagnosis.cause = "the divisor ecx is 0, and " + std::string(70, 'w');
  const std::string text = to_coloured_text(diagnosis);
  EXPECT_THAT(text, HasSubstr("\x1b[1;31maverage ended: #DE (divide error, vector 0)\x1b[0m\nat "));
  EXPECT_THAT(text, HasSubstr("\n\x1b[1mcause: the divisor ecx is 0, and\x1b[0m\n\x1b[1m  www"))
      << "what is wrapped goes on in the same colour";
  EXPECT_THAT(text,
              HasSubstr("\n\x1b[1;33m>     0x1003  66 f7 f1                  div ecx\x1b[0m\n"));
  diagnosis.stop = Halt{};
  diagnosis.headline = "average halted";
  EXPECT_THAT(to_coloured_text(diagnosis), ::testing::StartsWith("\x1b[1maverage halted\x1b[0m\n"));
  diagnosis.place->source.reset();
  std::string plain;
  bool in_sequence = false;
  for (const char c : to_coloured_text(diagnosis)) {
    if (c == '\x1b') in_sequence = true;
    if (!in_sequence) plain += c;
    if (c == 'm') in_sequence = false;
  }
  EXPECT_EQ(plain, to_text(diagnosis)) << "nothing else differs";
}

// A source's bytes may be anything: escape sequences, Latin-1, half a character.
TEST(ReportTest, BytesOfASourceArePrinted) {
  Diagnosis diagnosis = divide_error();
  diagnosis.place->source =
      SourcePlace{.line = {.file = "f.asm",
                           .line = 7,
                           .text = "div\tcx ; \x1b[31m \xE9 \xC3\xA9 \xC2\x9B \xE2\x82"},
                  .label = ""};
  EXPECT_THAT(to_text(diagnosis), HasSubstr("\nf.asm:7:  div cx ; ?[31m ? \xC3\xA9 ? ??\n"));
}

TEST(ReportTest, EscapesWhatIsNotText) {
  EXPECT_EQ(escape("a\"\\\n\r\t\x01\x80"), "a\\\"\\\\\\n\\r\\t\\x01\\x80");
}

}  // namespace
