#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

/// What a command left.
struct Result {
  int status = -1;
  std::string out;
  std::string err;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// Runs the command as a user does, in a folder of its own.
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
    return {WEXITSTATUS(status), read_text(folder_ / "out"), read_text(folder_ / "err")};
  }

  nlohmann::json run_json(const std::string& arguments, int expected_status) {
    const Result result = hltest("run --json " + arguments);
    EXPECT_EQ(result.status, expected_status) << result.err;
    return result.out.empty() ? nlohmann::json::object() : nlohmann::json::parse(result.out);
  }

  void expect_usage_error(const std::string& arguments, const std::string& part) {
    const Result result = hltest("run " + arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    EXPECT_THAT(result.err,
                ::testing::AllOf(::testing::StartsWith("hltest: "), ::testing::HasSubstr(part)))
        << arguments;
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
