#include "cli/assemble.h"
#include "cli/options.h"
#include "cli/run_command.h"
#include "cli/usage_error.h"

#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr int kUsageOrHostError = 2;

int run(int argc, char** argv) {
  using namespace hltest::cli;
  std::string output;
  int status = 0;
  const auto request = parse_command_line(argc, argv);
  if (const auto* const information = std::get_if<Information>(&request)) {
    output = information->text;
  } else {
    const RunResult result = run_command(std::get<RunOptions>(request));
    output = result.output;
    status = result.status;
  }
  if (std::fputs(output.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    throw UsageError("can't write to standard output");
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const hltest::cli::AssemblerFailed&) {
    return kUsageOrHostError;
  } catch (const std::exception& error) {
    // Not by fmt, which throws where stderr can't be written.
    std::fputs("hltest: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return kUsageOrHostError;
  }
}
