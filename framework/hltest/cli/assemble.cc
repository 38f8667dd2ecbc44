#include <hltest/cli/assemble.h>
#include <hltest/cli/file.h>
#include <hltest/cli/usage_error.h>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "nasm_defines.h"

namespace hltest::cli {
namespace {

/// A folder of its own for NASM's output, gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hltest-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw UsageError(
          fmt::format("can't make a temporary folder {}: {}", name, std::strerror(errno)));
    }
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Runs nasm with stdout and stderr on our stderr, and returns its exit status.
int run_nasm(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error_number = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    throw UsageError(
        fmt::format("can't run nasm, which assembles .asm files: {}: install it (apt install "
                    "nasm), or give the "
                    "binary that it makes",
                    std::strerror(error_number)));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::vector<std::uint8_t> assemble(const std::string& source, CpuMode mode, Gpa load_address) {
  const TemporaryFolder folder;
  const std::string output = (folder.path() / "image").string();
  const unsigned bits = code_bits(mode);
  const std::filesystem::path source_folder = std::filesystem::path{source}.parent_path();

  std::vector<std::string> arguments = {"nasm", "-f", "bin", "-o", output};
  arguments.insert(arguments.end(), kNasmDefines.begin(), kNasmDefines.end());
  arguments.push_back(fmt::format("-DHLTEST_LOAD_ADDRESS={:#x}", load_address.value()));
  arguments.push_back(fmt::format("-DHLTEST_BITS={}", bits));
  arguments.insert(arguments.end(), {"--before", fmt::format("bits {}", bits)});
  if (!source_folder.empty()) arguments.push_back("-I" + source_folder.string() + "/");
  arguments.push_back(source.starts_with('-') ? "./" + source : source);

  if (run_nasm(std::move(arguments)) != 0) throw AssemblerFailed{};
  std::vector<std::uint8_t> image = read_file(output);
  if (image.empty()) {
    throw UsageError(fmt::format("{} is empty: it assembles to no code at all", source));
  }
  return image;
}

}  // namespace hltest::cli
