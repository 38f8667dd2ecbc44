// The command as a user runs it: exit status, stdout, stderr.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

struct Result {
  int status = -1;
  std::string out;
  std::string err;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() : folder_(::testing::TempDir() + "hltest command " + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~CommandTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& contents) {
    std::ofstream{folder_ / name, std::ios::binary} << contents;
    return "'" + (folder_ / name).string() + "'";
  }

  // Runs `hltest ARGUMENTS` by the shell, with `environment` before it.
  Result hltest(const std::string& arguments, const std::string& environment = "") {
    const std::string command = environment + " '" HLTEST_COMMAND "' " + arguments + " >'" +
                                (folder_ / "out").string() + "' 2>'" + (folder_ / "err").string() +
                                "' </dev/null";
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell is meant
    return {WEXITSTATUS(status), read(folder_ / "out"), read(folder_ / "err")};
  }

  json run_json(const std::string& arguments, int expected_status) {
    const Result result = hltest("run --json " + arguments);
    EXPECT_EQ(result.status, expected_status) << result.err;
    return result.out.empty() ? json::object() : json::parse(result.out);
  }

  void expect_usage_error(const std::string& arguments, const std::string& part) {
    const Result result = hltest("run " + arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    EXPECT_THAT(result.err, AllOf(StartsWith("hltest: "), HasSubstr(part))) << arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  std::filesystem::path folder_;
};

/// Those that run a guest.
class RunTest : public CommandTest {
 protected:
  void SetUp() override {
    const Result result = hltest("run " + file("halt.bin", "\xF4"));
    if (result.status != 2) return;
    if (std::getenv("HLTEST_REQUIRE_KVM") != nullptr) FAIL() << result.err;
    GTEST_SKIP() << result.err;
  }
};

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

TEST_F(CommandTest, AssemblerErrorsAreNasmsOwn) {
  const Result result = hltest("run " + file("bad.asm", "nop\nmov ax, nowhere\n"));
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, EndsWith("bad.asm:2: error: symbol `nowhere' not defined\n"));
}

TEST_F(CommandTest, WithoutNasm) {
  const Result result = hltest("run " + file("x.asm", "hlt\n"), "PATH=/nowhere");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("can't run nasm"), HasSubstr("apt install nasm")));
}

TEST_F(CommandTest, ASilentNasmIsNamed) {
  const std::filesystem::path nasm = folder_ / "nasm";
  const auto becomes = [&](const char* script) {
    std::ofstream{nasm} << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(nasm, std::filesystem::perms::owner_all);
    return hltest("run " + file("x.asm", "hlt\n"), "PATH='" + folder_.string() + "':$PATH");
  };
  EXPECT_THAT(becomes("exit 3").err, HasSubstr("nasm failed to assemble"));
  EXPECT_THAT(becomes("exit 3").err, HasSubstr("said nothing: exit status 3"));
  EXPECT_THAT(becomes("kill -9 $$").err, HasSubstr("a signal ended it"));
  const Result nothing_made = becomes("exit 0");
  EXPECT_EQ(nothing_made.status, 2);
  EXPECT_THAT(nothing_made.err, HasSubstr("x.asm is empty: it assembles to no code"));
}

TEST_F(CommandTest, AFileLargerThanMemoryIsNotReadFirst) {
  file("large.bin", "");
  std::filesystem::resize_file(folder_ / "large.bin", 1ULL << 40U);  // sparse
  expect_usage_error("'" + (folder_ / "large.bin").string() + "'",
                     "more than the guest's memory, 0x1000000: give it more with --memory");
}

TEST_F(CommandTest, OutputThatCannotBeWritten) {
  EXPECT_EQ(std::system("'" HLTEST_COMMAND "' run /nowhere 2>/dev/full"), 2 << 8);       // NOLINT
  EXPECT_EQ(std::system("'" HLTEST_COMMAND "' run /nowhere 2>&-"), 2 << 8);              // NOLINT
  EXPECT_EQ(std::system("'" HLTEST_COMMAND "' --help >/dev/full 2>/dev/null"), 2 << 8);  // NOLINT
}

TEST_F(CommandTest, BadInputIsOneLineThatNamesIt) {
  const std::string halt = file("halt.bin", "\xF4");
  expect_usage_error("/nowhere/at_all.bin", "can't read /nowhere/at_all.bin: No such file");
  expect_usage_error("/nowhere/at_all.asm", "can't read /nowhere/at_all.asm: No such file");
  expect_usage_error(file("empty.bin", ""), "empty.bin is empty");
  expect_usage_error(file("empty.asm", "; nothing\n"), "is empty");
  expect_usage_error("/tmp", "can't read /tmp: it is not a file");
  expect_usage_error("", "FILE is required");
  expect_usage_error(halt + " more", "more");
  expect_usage_error(halt + " --frobnicate", "--frobnicate");
  expect_usage_error(halt + " --mode unreal", "'unreal' is none of real, protected and long");
  expect_usage_error(halt + " --set", "--set");
  expect_usage_error(halt + " --set ax", "--set ax: write it as REG=VALUE");
  expect_usage_error(halt + " --set xyz=1", "no register 'xyz'");
  expect_usage_error(halt + " --set al=256", "al = 0x100: the value does not fit in its 8 bits");
  expect_usage_error(halt + " --set ax=0x1g", "--set ax: '0x1g' is not a number");
  expect_usage_error(halt + " --set rax=0x10000000000000000", "not a number of at most 64 bits");
  expect_usage_error(halt + " --set rax=0x100000000", "real16 code sees 32 bits");
  expect_usage_error(halt + " --set ds=0x10000", "does not fit in its 16 bits");
  expect_usage_error(halt + " --mode long --set ds=0x99", "GDT has no such segment");
  expect_usage_error(halt + " --load here", "--load: 'here' is not a number");
  expect_usage_error(halt + " --load 0x2000000", "does not fit in the guest's memory");
  expect_usage_error(halt + " --load 0xf0000", "the framework keeps its own tables");
  expect_usage_error(halt + " --entry 0x3000000 --mode long", "outside the guest's memory");
  expect_usage_error(halt + " --memory 0", "a memory size of 0x0 bytes can't be");
  expect_usage_error(halt + " --memory 1000", "has to be a multiple of 4 KiB");
  expect_usage_error(halt + " --memory 16777216G", "is beyond this host");
  expect_usage_error(halt + " --memory 20Q", "--memory: '20Q' is not a size");
  expect_usage_error(halt + " --memory 99999999999G", "--memory");
  expect_usage_error(halt + " --timeout 0", "a timeout of 0 ms");
  expect_usage_error(halt + " --timeout 86400001",
                     "a timeout of 86400001 ms: it can be 1 ms to 24");
  expect_usage_error(halt + " --load ''", "--load");
  expect_usage_error(halt + " --memory ''", "--memory");
  expect_usage_error(halt + " --mode protected --set cs=0x2b", "cs = 0x2b is for CPL 3");
  expect_usage_error(halt + " --timeout soon", "--timeout: 'soon' is not a number");
  expect_usage_error(halt + " --in 0x60", "--in 0x60: write it as PORT=HEXBYTES");
  expect_usage_error(halt + " --in 0x10000=00", "too large");
  expect_usage_error(halt + " --in 0x60=123", "'123' are not bytes");
}

TEST_F(CommandTest, HelpAndNoCommand) {
  const Result help = hltest("run --help");
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--mode MODE"), HasSubstr("--set REG=VALUE")));
  EXPECT_EQ(hltest("--help").status, 0);
  EXPECT_THAT(hltest("--version").out, MatchesRegex("hltest [0-9.]+\n"));
  EXPECT_EQ(hltest("").status, 2);
  EXPECT_EQ(hltest("walk").status, 2);
}

}  // namespace
