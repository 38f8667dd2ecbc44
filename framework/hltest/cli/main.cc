#include <hltest/cli/assemble.h>
#include <hltest/cli/options.h>
#include <hltest/cli/run_command.h>

#include <fmt/format.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  constexpr int kUsageOrHostError = 2;
  try {
    const auto request = hltest::cli::parse_command_line(argc, argv);
    if (const auto* const information = std::get_if<hltest::cli::Information>(&request)) {
      fmt::print("{}", information->text);
      return 0;
    }
    return hltest::cli::run_command(std::get<hltest::cli::RunOptions>(request));
  } catch (const hltest::cli::AssemblerFailed&) {
    return kUsageOrHostError;
  } catch (const std::exception& error) {
    fmt::print(stderr, "hltest: {}\n", error.what());
    return kUsageOrHostError;
  }
}
