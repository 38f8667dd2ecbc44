// What a new user gives `hltest run` first: sources with an org, standard input, a port that is
// read again and again.
#include "command_fixture.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// A word that is read by its address.
constexpr const char* kOrg = R"(        org     0x7C00
        mov     ax, [word_]
        hlt
word_   dw      0x1234
)";

TEST_F(RunTest, ASourceIsLoadedAtItsOrg) {
  const std::string source = file("org.asm", kOrg);
  const json object = run_json(source, 0);
  EXPECT_EQ(object["registers"]["rax"], "0x1234");
  EXPECT_EQ(object["registers"]["rip"], "0x7c04");
  EXPECT_EQ(hltest("run " + source).err, "");
}

TEST_F(RunTest, AnotherPlaceThanItsOrgIsNoted) {
  const std::string source = file("org.asm", kOrg);
  const Result elsewhere = hltest("run --load 0x1000 " + source);
  EXPECT_EQ(elsewhere.err, "note: org.asm has org 0x7c00, and is loaded at 0x1000\n");
  EXPECT_EQ(elsewhere.status, 0);
  EXPECT_EQ(hltest("run --load 0x7c00 " + source).err, "");
  const Result beyond =
      hltest("run --mode long " + file("far.asm", "        org 0xC0000000\n        hlt\n"));
  EXPECT_EQ(beyond.err, "note: far.asm has org 0xc0000000, and is loaded at 0x1000\n");
  EXPECT_EQ(hltest("run " + file("none.asm", "        hlt\n")).err, "");
}

TEST_F(RunTest, ALastByteCanRepeat) {
  // in al, 0x60 (three times, kept in bl, cl and al); hlt
  const std::string image =
      file("in.bin", "\xE4\x60\x88\xC3\xE4\x60\x88\xC1\xE4\x60\x88\xC2\xE4\x60\xF4");
  const json object = run_json(image + " --in 0x60=1c9c...", 0);
  EXPECT_EQ(object["registers"]["rbx"], "0x1c");
  EXPECT_EQ(object["registers"]["rcx"], "0x9c");
  EXPECT_EQ(object["registers"]["rdx"], "0x9c");
  EXPECT_EQ(object["registers"]["rax"], "0x9c");
  EXPECT_EQ(run_json(image + " --in 0x60=1c9c", 0)["registers"]["rdx"], "0xff");
  // in ax, 0x60; hlt
  const std::string wide = file("wide.bin", "\xE5\x60\xF4");
  EXPECT_EQ(run_json(wide + " --in 0x60=5a...", 0)["registers"]["rax"], "0x5a5a");
  expect_usage_error(image + " --in 0x60=...", "there are no bytes");
  expect_usage_error(image + " --in 0x60=1c... --in 0x60=9c",
                     "--in 0x60=9c: a byte repeats at this port");
}

TEST_F(RunTest, StandardInputIsAnImage) {
  const auto pipe = [this](const std::string& bytes, const std::string& arguments) {
    const std::string command = "cat " + file("piped", bytes) + " | '" HLTEST_COMMAND "' run - " +
                                arguments + " >'" + (folder_ / "out").string() + "' 2>'" +
                                (folder_ / "err").string() + "'";
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell is meant
    return Result{WEXITSTATUS(status), read_text(folder_ / "out"), read_text(folder_ / "err")};
  };
  const Result halted = pipe("\x40\xF4", "");
  EXPECT_EQ(halted.status, 0);
  EXPECT_THAT(halted.out, HasSubstr("standard input halted"));
  EXPECT_EQ(pipe("", "").err, "hltest: standard input is empty: there is nothing to run\n");
  EXPECT_THAT(pipe(std::string(5000, '\xF4'), "--memory 4K").err,
              HasSubstr("standard input has more bytes than the guest's memory, 0x1000"));
}

}  // namespace
