#include "cli/assemble.h"
#include "cli/file.h"
#include "cli/usage_error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "nasm_defines.h"

namespace hltest::cli {
namespace {

/// A folder of its own for NASM's output, gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const char* const parent = std::getenv("TMPDIR");
    std::string name = std::string{parent != nullptr ? parent : "/tmp"} + "/hltest-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw UsageError(fmt::format("can't make a temporary folder {} (TMPDIR says where): {}", name,
                                   std::strerror(errno)));
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

std::string read_text(const std::string& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// How nasm ended, and what it said.
struct NasmResult {
  int exit_status;  ///< -1 when a signal ended it
  std::string messages;
};

NasmResult run_nasm(std::vector<std::string> arguments, const std::string& messages_file) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages_file.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
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
  return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .messages = read_text(messages_file)};
}

}  // namespace

FlatImage assemble(const std::string& source, CpuMode mode, Gpa load_address,
                   const std::vector<std::string>& options) {
  const TemporaryFolder folder;
  const std::string name = std::filesystem::path{source}.filename().string();
  const std::string output = (folder.path() / "image").string();
  const unsigned bits = code_bits(mode);
  const std::filesystem::path source_folder = std::filesystem::path{source}.parent_path();

  std::vector<std::string> arguments = {"nasm", "-f", "bin", "-o", output};
  arguments.insert(arguments.end(), kNasmDefines.begin(), kNasmDefines.end());
  arguments.push_back(fmt::format("-DHLTEST_LOAD_ADDRESS={:#x}", load_address.value()));
  arguments.push_back(fmt::format("-DHLTEST_BITS={}", bits));
  arguments.insert(arguments.end(), {"--before", fmt::format("bits {}", bits)});
  const std::string listing = (folder.path() / "listing").string();
  const std::string map = (folder.path() / "map").string();
  arguments.insert(arguments.end(), {"-l", listing});
  // NASM takes no quotes there: in a folder with blanks in its name there are no labels.
  if (map.find_first_of(" \t]") == std::string::npos) {
    arguments.insert(arguments.end(), {"--before", fmt::format("[map all {}]", map)});
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  if (!source_folder.empty()) arguments.push_back("-I" + source_folder.string() + "/");
  arguments.push_back(source.starts_with('-') ? "./" + source : source);

  const NasmResult result = run_nasm(std::move(arguments), (folder.path() / "messages").string());
  std::fputs(result.messages.c_str(), stderr);
  if (result.exit_status != 0) {
    if (!result.messages.empty()) throw AssemblerFailed{};
    throw UsageError(fmt::format("nasm failed to assemble {} and said nothing: {}", source,
                                 result.exit_status < 0
                                     ? "a signal ended it"
                                     : fmt::format("exit status {}", result.exit_status)));
  }
  std::vector<std::uint8_t> image;
  if (std::filesystem::exists(output)) image = read_file(output);
  if (image.empty()) {
    throw UsageError(fmt::format("{} is empty: it assembles to no code at all", source));
  }
  return {name, std::move(image), load_address,
          NasmNotes{.source = name, .listing = read_text(listing), .map = read_text(map)}};
}

}  // namespace hltest::cli
