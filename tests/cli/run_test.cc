// `hltest run` as a user runs it: exit status, report and JSON.
#include <pty.h>

#include <array>

#include "command_fixture.h"

namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

const char* const kAddDigits =
    "mov dx, 0x3f8\nadd al, bl\nadd al, '0'\nout dx, al\nmov al, `\\n`\nout dx, al\nhlt\n";

TEST_F(RunTest, AssemblesRunsAndReports) {
  const Result result = hltest("run " + file("add.asm", kAddDigits) + " --set al=2 --set bl=2");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(StartsWith("add.asm halted\nat 0x100b"), HasSubstr("hlt"),
                                HasSubstr("out 0x03f8  2 bytes: 34 0a \"4\\n\"")));
  EXPECT_EQ(result.err, "");
}

TEST_F(RunTest, JsonHasWhatTheContractSays) {
  const json object = run_json(file("add.asm", kAddDigits) + " --set ax=2 --set bx=3", 0);

  EXPECT_EQ(object["outcome"], "halted");
  EXPECT_EQ(object["registers"]["rbx"], "0x3");
  EXPECT_EQ(object["registers"]["rax"], "0xa");
  for (const char* const name :
       {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp",    "r8",  "r9",
        "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags", "cs",  "ds",
        "es",  "fs",  "gs",  "ss",  "cr0", "cr2", "cr3", "cr4",    "efer"}) {
    EXPECT_THAT(object["registers"].value(name, ""), MatchesRegex("0x[0-9a-f]+")) << name;
  }
  EXPECT_EQ(object["ports"], json::parse(R"([{"port": 1016, "bytes": "350a", "text": "5\n"}])"));
  EXPECT_EQ(object["console"], "5\n");
  EXPECT_EQ(object["screen"].size(), 25U);
  EXPECT_EQ(object["modes"], json::array({"real16"}));
  EXPECT_FALSE(object.contains("fault"));
}

TEST_F(RunTest, EveryModeAndABinaryAsItIs) {
  // mov eax/ax, cr0 is the same code in all three.
  const std::string image = file("cr0.bin", "\x0F\x20\xC0\xF4");
  EXPECT_EQ(run_json(image, 0)["registers"]["rax"], "0x10");
  EXPECT_EQ(run_json(image + " --mode protected", 0)["registers"]["rax"], "0x31");
  const json in_long_mode = run_json(image + " --mode long", 0);
  EXPECT_EQ(in_long_mode["registers"]["rax"], "0x80010033");
  EXPECT_EQ(in_long_mode["modes"], json::array({"long64"}));
}

TEST_F(RunTest, SourceIsAssembledForTheMode) {
  EXPECT_EQ(run_json(file("x.asm", "mov rax, HLTEST_LOAD_ADDRESS + HLTEST_BITS\nhlt\n") +
                         " --mode long --load 0x2000",
                     0)["registers"]["rax"],
            "0x2040");
  file("part.inc", "mov ax, HLTEST_COM1\n");
  EXPECT_EQ(run_json(file("y.asm", "%include \"part.inc\"\nhlt\n"), 0)["registers"]["rax"],
            "0x3f8");
}

TEST_F(RunTest, LoadEntryAndMemory) {
  const std::string image = file("entry.bin", "\xF4\xB0\x07\xF4");
  const json object = run_json(image + " --load 0x7c00 --entry 0x7c01 --memory 64K", 0);
  EXPECT_EQ(object["registers"]["rax"], "0x7");
  EXPECT_EQ(object["registers"]["rip"], "0x7c04");
  EXPECT_EQ(run_json(image + " --memory 2G", 0)["outcome"], "halted");
  EXPECT_EQ(run_json(image + " --load 0 --memory 4096", 0)["outcome"], "halted");
  EXPECT_EQ(run_json(image + " --load 65536", 0)["registers"]["cs"], "0x1000");
}

TEST_F(RunTest, RegistersSegmentsAndControlRegistersCanBeSet) {
  const json real = run_json(file("h.bin", "\xF4") + " --set ah=1 --set AL=2 --set ds=0x123", 0);
  EXPECT_EQ(real["registers"]["rax"], "0x102");
  EXPECT_EQ(real["registers"]["ds"], "0x123");
  const json in_long_mode =
      run_json(file("h.bin", "\xF4") +
                   " --mode long --set r15=0xffffffffffffffff --set cr4=0x6a0 --set ds=0x33",
               0);
  EXPECT_EQ(in_long_mode["registers"]["r15"], "0xffffffffffffffff");
  EXPECT_EQ(in_long_mode["registers"]["cr4"], "0x6a0");
  EXPECT_EQ(in_long_mode["registers"]["ds"], "0x33");
  EXPECT_EQ(run_json(file("n.bin", "\xF4\x90\xF4") + " --set ip=0x1001", 0)["registers"]["rip"],
            "0x1003");
}

TEST_F(RunTest, PortInput) {
  // in al, 0x60; mov bl, al; in ax, 0x60; hlt
  const std::string image = file("in.bin", std::string("\xE4\x60\x88\xC3\xE5\x60\xF4", 7));
  const json object = run_json(image + " --in 0x60=1c9c --in 0x60=7F", 0);
  EXPECT_EQ(object["registers"]["rbx"], "0x1c");
  EXPECT_EQ(object["registers"]["rax"], "0x7f9c");
  EXPECT_EQ(run_json(image, 0)["registers"]["rax"], "0xffff");
}

TEST_F(RunTest, ExceptionsHaveAFault) {
  // xor cx, cx; div cx
  const json divide = run_json(file("de.bin", "\x31\xC9\xF7\xF1"), 1);
  EXPECT_EQ(divide["outcome"], "exception");
  EXPECT_EQ(divide["fault"]["vector"], 0);
  EXPECT_EQ(divide["fault"]["name"], "#DE");
  EXPECT_EQ(divide["fault"]["rip"], "0x1002");
  EXPECT_EQ(divide["fault"]["instruction"], "div cx");

  // mov rax, [0x40000000]
  const json page =
      run_json(file("pf.bin", std::string("\x48\x8B\x04\x25\0\0\0\x40", 8)) + " --mode long", 1);
  EXPECT_EQ(page["fault"]["name"], "#PF");
  EXPECT_EQ(page["fault"]["error_code"], 0);
  EXPECT_EQ(page["fault"]["address"], "0x40000000");
}

TEST_F(RunTest, OtherEndings) {
  const json spinning = run_json(file("spin.bin", "\xEB\xFE") + " --timeout 50", 1);
  EXPECT_EQ(spinning["outcome"], "timed_out");
  EXPECT_EQ(spinning["registers"]["rip"], "0x1000");
  // lidt [cs:0x1000 + 7]: a limit of 0; then ud2
  const json fault =
      run_json(file("tf.bin", std::string("\x0F\x01\x1D\x09\x10\0\0\x0F\x0B\0\0\0\0\0\0", 15)) +
                   " --mode protected",
               1);
  EXPECT_EQ(fault["outcome"], "triple_fault");
}

TEST_F(RunTest, ScreenIsWhatTextModeShows) {
  // mov ax, 0xb800; mov es, ax; mov word [es:0], 0x0748; mov word [es:162], 0x07e1; hlt
  const std::string source =
      "mov ax, 0xb800\nmov es, ax\nmov word [es:0], 0x0748\nmov word [es:162], 0x07e1\nhlt\n";
  const json object = run_json(file("screen.asm", source), 0);
  EXPECT_EQ(object["screen"][0], "H");
  EXPECT_EQ(object["screen"][1], " ß");
  EXPECT_EQ(object["screen"][24], "");
}

TEST_F(RunTest, BytesThatAreNoTextAreStillJson) {
  // mov al, 0xff; out 0xe9, al; hlt
  const json object = run_json(file("ff.bin", "\xB0\xFF\xE6\xE9\xF4"), 0);
  EXPECT_EQ(object["ports"][0]["bytes"], "ff");
}

TEST_F(RunTest, NasmsWarningsGoToStderrAndItGoesOn) {
  const Result result = hltest("run --json " + file("warn.asm", "mov al, '\\n'\nhlt\n"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("warn.asm:1: warning: byte data exceeds bounds"));
  EXPECT_EQ(json::parse(result.out)["registers"]["rax"], "0x5c");
}

// Everything about a triple fault, for programs.
TEST_F(RunTest, JsonHasTheFaultBehindATripleFault) {
  const std::string source = file("boot.asm",
                                  "lidt [0x5000]\n"   // zeros
                                  "xor ebx, ebx\n"    //
                                  "fault: div ebx\n"  //
                                  "hlt\n");
  const json result = run_json(source + " --mode protected", 1);
  EXPECT_EQ(result["outcome"], "triple_fault");
  const json& fault = result["fault"];
  EXPECT_EQ(fault["vector"], 0);
  EXPECT_EQ(fault["name"], "#DE");
  EXPECT_EQ(fault["rip"], "0x1009");
  EXPECT_EQ(fault["instruction"], "div ebx");
  EXPECT_EQ(fault["source"], "boot.asm:3");
  EXPECT_EQ(fault["cause"], "the divisor ebx is 0");
  EXPECT_EQ(fault["undelivered"],
            "the IDT at 0x0 ends before the gate for #DE (vector 0x0): its limit is 0x0");
  EXPECT_EQ(result["registers"]["rip"], "0x1009");
  ASSERT_EQ(result["history"].size(), 2U);
  EXPECT_EQ(result["history"][1]["instruction"], "xor ebx, ebx");
  EXPECT_EQ(result["history"][1]["source"], "boot.asm:2");
  EXPECT_EQ(result["history"][1]["changes"]["rflags"], "0x46");
}

bool has_terminals() {
  int master = -1;
  int slave = -1;
  if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return false;
  close(master);
  close(slave);
  return true;
}

// What `hltest run` writes to a terminal, with these settings of the environment.
std::string on_terminal(const std::string& arguments, const char* no_colour, const char* terminal) {
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
  if (child == 0) {
    setenv("TERM", terminal, 1);
    if (no_colour != nullptr) setenv("NO_COLOR", no_colour, 1);
    const std::string command = "'" HLTEST_COMMAND "' run " + arguments;
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = read(master, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(size));
  }
  close(master);
  waitpid(child, nullptr, 0);
  return text;
}

TEST_F(RunTest, ColourIsForTerminalsThatWantIt) {
  if (!has_terminals()) GTEST_SKIP() << "this host has no pseudo-terminals (/dev/pts)";
  const std::string source = file("fault.asm", "xor bx, bx\ndiv bx\n");
  const std::string coloured = on_terminal(source, nullptr, "xterm");
  EXPECT_THAT(coloured, HasSubstr("\x1b[1;31mfault.asm ended: #DE"));
  EXPECT_THAT(coloured, HasSubstr("\x1b[1mcause: the divisor bx is 0\x1b[0m"));
  EXPECT_THAT(coloured, HasSubstr("\x1b[1;33m>"));
  EXPECT_THAT(on_terminal(source, "", "xterm"), HasSubstr("\x1b[")) << "an empty NO_COLOR is none";
  EXPECT_THAT(on_terminal(source, "1", "xterm"), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(on_terminal(source, nullptr, "dumb"), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(on_terminal(source + " --json", nullptr, "xterm"), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(hltest("run " + source, "TERM=xterm").out, Not(HasSubstr("\x1b[")));
}

// NASM gets names that mean something else to it, and leaves nothing behind.
TEST_F(RunTest, AnySourceName) {
  EXPECT_EQ(hltest("run " + file("UPPER.ASM", "hlt\n")).status, 0);
  EXPECT_EQ(hltest("run " + file("other.nasm", "hlt\n")).status, 0);
  file("@at.asm", "hlt\n");
  const std::string command =
      "cd '" + folder_.string() + "' && '" HLTEST_COMMAND "' run @at.asm >out";
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c): the shell is meant
}

TEST_F(RunTest, NasmNeedsNoTemporaryFolder) {
  EXPECT_EQ(hltest("run " + file("x.asm", "hlt\n"), "TMPDIR=/nowhere").status, 0);
}

// Some parents ignore SIGCHLD, and their children inherit that.
TEST_F(RunTest, NasmsExitStatusIsKnownWhereSigchldIsIgnored) {
  const std::string command =
      "trap '' CHLD; '" HLTEST_COMMAND "' run " + file("bad.asm", "bad here\n") + " 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 2);  // NOLINT(cert-env33-c)
}

TEST_F(RunTest, ASourceMayBeLargerThanTheGuestsMemory) {
  EXPECT_EQ(hltest("run --memory 4K --load 0 " +
                   file("long.asm", "; " + std::string(8192, 'x') + "\nhlt\n"))
                .status,
            0);
}

}  // namespace
