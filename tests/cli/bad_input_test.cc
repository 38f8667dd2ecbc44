// What `hltest` says when it can't run what it was given. None of this needs KVM.
#include "command_fixture.h"

namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

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

TEST_F(CommandTest, WhatIsNoFlatBinaryIsRefused) {
  expect_usage_error(file("gas.s", "hlt\n"), "gas.s is a source, and not one of NASM's (.asm)");
  expect_usage_error(file("gas.S", "hlt\n"), "gas.S is a source");
  expect_usage_error(file("program", std::string("\x7f"
                                                 "ELF\x02",
                                                 5)),
                     "program is an ELF file, and runs as none: make it flat (objcopy -O binary)");
}

TEST_F(CommandTest, AnUnknownCommandIsNamed) {
  const Result unknown = hltest("runn x");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_EQ(unknown.err, "hltest: there is no command 'runn': the commands are: run\n");
  EXPECT_EQ(hltest("").err, "hltest: a command is required: run (see hltest run --help)\n");
  EXPECT_EQ(hltest("run").err, "hltest: FILE is required (see hltest run --help)\n");
}

TEST_F(CommandTest, Cr8HasFourBits) {
  expect_usage_error(file("halt.bin", "\xF4") + " --set cr8=16",
                     "cr8 = 0x10: the task priority is 0 to 15");
}

}  // namespace
