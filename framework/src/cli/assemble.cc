#include "cli/assemble.h"
#include "cli/usage_error.h"
#include "kvm/unique_fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "nasm_defines.h"

namespace hltest::cli {
namespace {

/// A file in memory that NASM writes to by a path: nothing is left behind, whatever ends this
/// program.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("hltest", 0)) {
    if (fd_.get() < 0) {
      throw UsageError(fmt::format("can't make a file in memory for NASM (memfd_create): {}",
                                   std::strerror(errno)));
    }
  }
  /// As NASM, which inherits the descriptor, can open it.
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", fd_.get()); }
  [[nodiscard]] std::string text() const {
    std::ifstream stream{path(), std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

 private:
  internal::kvm::UniqueFd fd_;
};

/// How nasm ended, and what it said.
struct NasmResult {
  int exit_status;  ///< -1 when a signal ended it
  std::string messages;
};

// NASM can be made to loop for ever, by a macro that includes itself.
void end_if_it_hangs(pid_t child) {
  constexpr int kLongest = 60'000;  // milliseconds
  const internal::kvm::UniqueFd process{static_cast<int>(syscall(SYS_pidfd_open, child, 0))};
  if (process.get() < 0) return;  // a kernel before Linux 5.3
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{kLongest};
  int left = kLongest;
  while (poll(&ended, 1, left) < 0 && errno == EINTR) {
    left = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                deadline - std::chrono::steady_clock::now())
                                .count());
    left = std::max(left, 0);
  }
  if ((ended.revents & POLLIN) != 0) return;
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw UsageError("nasm has not ended within 60 seconds, and was stopped");
}

NasmResult run_nasm(std::vector<std::string> arguments) {
  const MemoryFile messages;
  // Where the parent ignores it, NASM's exit status would be lost.
  std::signal(SIGCHLD, SIG_DFL);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages.path().c_str(),
                                   O_WRONLY | O_APPEND, 0);
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
  end_if_it_hangs(child);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .messages = messages.text()};
}

}  // namespace

FlatImage assemble(const std::string& source, CpuMode mode, Gpa load_address,
                   const std::vector<std::string>& options) {
  const MemoryFile output;
  const MemoryFile listing;
  const MemoryFile map;
  const std::string name = std::filesystem::path{source}.filename().string();
  const unsigned bits = code_bits(mode);
  const std::filesystem::path source_folder = std::filesystem::path{source}.parent_path();

  std::vector<std::string> arguments = {"nasm", "-f", "bin", "-o", output.path()};
  arguments.insert(arguments.end(), kNasmDefines.begin(), kNasmDefines.end());
  arguments.push_back(fmt::format("-DHLTEST_LOAD_ADDRESS={:#x}", load_address.value()));
  arguments.push_back(fmt::format("-DHLTEST_BITS={}", bits));
  arguments.insert(arguments.end(), {"--before", fmt::format("bits {}", bits)});
  arguments.insert(arguments.end(), {"-l", listing.path()});
  arguments.insert(arguments.end(), {"--before", fmt::format("[map all {}]", map.path())});
  arguments.insert(arguments.end(), options.begin(), options.end());
  if (!source_folder.empty()) arguments.push_back("-I" + source_folder.string() + "/");
  // To NASM `-` begins an option, and `@` a file of options.
  const bool is_special = source.starts_with('-') || source.starts_with('@');
  arguments.push_back(is_special ? "./" + source : source);

  const NasmResult result = run_nasm(std::move(arguments));
  std::fputs(result.messages.c_str(), stderr);
  if (result.exit_status != 0) {
    if (!result.messages.empty()) throw AssemblerFailed{};
    throw UsageError(fmt::format("nasm failed to assemble {} and said nothing: {}", source,
                                 result.exit_status < 0
                                     ? "a signal ended it"
                                     : fmt::format("exit status {}", result.exit_status)));
  }
  const std::string bytes = output.text();
  std::vector<std::uint8_t> image{bytes.begin(), bytes.end()};
  if (image.empty()) {
    throw UsageError(fmt::format("{} is empty: it assembles to no code at all", source));
  }
  return {name, std::move(image), load_address,
          NasmNotes{.source = name, .listing = listing.text(), .map = map.text()}};
}

}  // namespace hltest::cli
