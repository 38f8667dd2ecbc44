#pragma once

#include <hltest/disk.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kvm/unique_fd.h"

namespace hltest::oracle {

/// A folder for the files of one test, removed with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A socket whose other end another process has.
class Channel {
 public:
  /// Makes the pair; `other` gets the end for the other process.
  explicit Channel(internal::kvm::UniqueFd& other);
  void send(const std::string& text) const;
  /// Waits for text, and adds it to `pending`; false at the deadline. Throws `std::runtime_error`
  /// if the other end is closed.
  bool receive(std::chrono::steady_clock::time_point deadline);

  std::string pending{};  ///< received, and not yet consumed

 private:
  internal::kvm::UniqueFd fd_{};
};

/// A QEMU that emulates a PC with SeaBIOS, and has not begun to. It is killed and reaped with this
/// object, and killed with the test's own process.
class QemuProcess {
 public:
  /// The emulator's path; nothing if it is not installed.
  static std::optional<std::string> installed();

  /// Copies the disks to files of the folder. Throws `HostError`.
  QemuProcess(const std::filesystem::path& folder, const std::map<Drive, Disk>& disks, Drive boot);
  QemuProcess(const QemuProcess&) = delete;
  QemuProcess& operator=(const QemuProcess&) = delete;
  ~QemuProcess();

  Channel& debugger() { return debugger_; }
  Channel& monitor() { return monitor_; }
  /// The file that it has a disk in.
  [[nodiscard]] std::filesystem::path disk_file(Drive drive) const;
  /// The file of what COM1 sends.
  [[nodiscard]] std::filesystem::path serial_file() const { return folder_ / "serial"; }

 private:
  [[nodiscard]] std::vector<std::string> arguments(const std::map<Drive, Disk>& disks,
                                                   Drive boot) const;
  void start(const std::vector<std::string>& arguments);

  std::filesystem::path folder_;
  internal::kvm::UniqueFd debugger_end_{};  // the child's, until it has them
  internal::kvm::UniqueFd monitor_end_{};
  Channel debugger_;
  Channel monitor_;
  pid_t pid_ = -1;
};

}  // namespace hltest::oracle
