#pragma once

#include <hltest/disk.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

/// A disk as a file, for programs that read disks. The file is removed at the end.
class DiskImageFile {
 public:
  explicit DiskImageFile(const hltest::Disk& disk) {
    static unsigned number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("hltest_disk_" + std::to_string(getpid()) + "_" + std::to_string(number++));
    std::ofstream file{path_, std::ios::binary};
    for (const hltest::DiskPart& part : disk.parts()) {
      file.seekp(static_cast<std::streamoff>(part.lba * hltest::Disk::kSectorSize));
      for (const std::uint8_t byte : part.bytes()) file.put(static_cast<char>(byte));
    }
    file.close();
    std::filesystem::resize_file(path_, disk.sectors() * hltest::Disk::kSectorSize);
  }
  DiskImageFile(const DiskImageFile&) = delete;
  DiskImageFile& operator=(const DiskImageFile&) = delete;
  ~DiskImageFile() { std::filesystem::remove(path_); }

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// What a program of the host's prints, and its exit status: -1 if it did not exit.
struct CommandResult {
  int status = -1;
  std::string output{};
};

/// Runs it with the folders of a superuser's programs in PATH, where sfdisk and fsck.fat are.
inline CommandResult run_command(const std::string& command) {
  const std::string shell = "PATH=$PATH:/usr/sbin:/sbin; " + command + " 2>&1";
  CommandResult result;
  FILE* const pipe = popen(shell.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    result.output.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

/// Skips a test if the host does not have a program of this package.
#define SKIP_WITHOUT(program, package)                                   \
  if (run_command(std::string{"command -v "} + (program)).status != 0) { \
    GTEST_SKIP() << (program) << " is missing: install " << (package);   \
  }
