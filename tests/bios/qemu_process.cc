#include "qemu_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <hltest/error.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace hltest::oracle {
namespace {

using Clock = std::chrono::steady_clock;
using internal::kvm::UniqueFd;

void write_image(const Disk& disk, const std::filesystem::path& path) {
  std::ofstream file{path, std::ios::binary};
  for (std::uint64_t lba = 0; lba < disk.sectors(); ++lba) {
    const Disk::Sector sector = disk.read(lba);
    if (sector == Disk::Sector{}) continue;
    file.seekp(static_cast<std::streamoff>(lba * Disk::kSectorSize));
    file.write(reinterpret_cast<const char*>(sector.data()), sector.size());
  }
  file.close();
  if (!file) throw HostError("writing " + path.string(), errno);
  std::filesystem::resize_file(path, disk.sectors() * Disk::kSectorSize);
}

void add_disk(std::vector<std::string>& words, Drive drive, const DiskGeometry& geometry,
              const std::string& file) {
  const unsigned number = drive % kFirstHardDisk;
  words.emplace_back("-drive");
  if (drive < kFirstHardDisk) {
    words.push_back(fmt::format("if=floppy,index={},format=raw,file={}", number, file));
    return;
  }
  words.push_back(fmt::format("if=none,id=disk{},format=raw,file={}", number, file));
  words.emplace_back("-device");
  constexpr unsigned kMostHeads = 16;  // of an IDE disk; SeaBIOS makes more for a larger one
  const std::string of_the_disk = geometry.heads > kMostHeads
                                      ? ""
                                      : fmt::format(",cyls={},heads={},secs={}", geometry.cylinders,
                                                    geometry.heads, geometry.sectors);
  words.push_back(fmt::format("ide-hd,drive=disk{0},bus=ide.0,unit={0}{1}", number, of_the_disk));
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "hltest-oracle-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw HostError("mkdtemp " + name, errno);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Channel::Channel(UniqueFd& other) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw HostError("socketpair", errno);
  }
  fd_ = UniqueFd{ends[0]};
  other = UniqueFd{ends[1]};
}

void Channel::send(const std::string& text) const {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw HostError("sending to QEMU", errno);
    sent += static_cast<std::size_t>(count);
  }
}

bool Channel::receive(Clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (count > 0) break;
    if (count < 0 && errno != EINTR) throw HostError("poll", errno);
    if (left <= 0) return false;
  }
  std::array<char, 4096> buffer{};
  const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0) throw std::runtime_error("QEMU has ended");
  pending.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

// It executes 16-bit and 32-bit code as qemu-system-i386 of the same package does, and 64-bit code.
std::optional<std::string> QemuProcess::installed() {
  const char* const path = std::getenv("PATH");
  const std::string folders = path != nullptr ? path : "";
  for (std::size_t begin = 0; begin < folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string program = folders.substr(begin, end - begin) + "/qemu-system-x86_64";
    if (access(program.c_str(), X_OK) == 0) return program;
    begin = end + 1;
  }
  return std::nullopt;
}

QemuProcess::QemuProcess(const std::filesystem::path& folder, const std::map<Drive, Disk>& disks,
                         Drive boot)
    : folder_(folder), debugger_(debugger_end_), monitor_(monitor_end_) {
  for (const auto& [drive, disk] : disks) write_image(disk, disk_file(drive));
  start(arguments(disks, boot));
}

QemuProcess::~QemuProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::filesystem::path QemuProcess::disk_file(Drive drive) const {
  return folder_ / fmt::format("drive{:02x}", drive);
}

std::vector<std::string> QemuProcess::arguments(const std::map<Drive, Disk>& disks,
                                                Drive boot) const {
  std::vector<std::string> words = {"qemu-system-x86_64",
                                    "-S",
                                    "-no-reboot",
                                    "-nodefaults",
                                    "-no-user-config",
                                    "-accel",
                                    "tcg",
                                    "-machine",
                                    "pc",
                                    "-m",
                                    "16",
                                    "-display",
                                    "none",
                                    "-vga",
                                    "std",
                                    "-nic",
                                    "none",
                                    "-boot",
                                    boot < kFirstHardDisk ? "order=a" : "order=c",
                                    "-serial",
                                    "file:" + serial_file().string(),
                                    "-gdb",
                                    "chardev:debugger",
                                    "-mon",
                                    "chardev=monitor,mode=control"};
  for (const auto& [name, end] :
       {std::pair{"debugger", debugger_end_.get()}, std::pair{"monitor", monitor_end_.get()}}) {
    words.emplace_back("-chardev");
    words.push_back(fmt::format("socket,id={},fd={}", name, end));
  }
  for (const auto& [drive, disk] : disks) {
    add_disk(words, drive, disk.geometry(), disk_file(drive).string());
  }
  return words;
}

void QemuProcess::start(const std::vector<std::string>& arguments) {
  const std::string program = installed().value();
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw HostError("fork", errno);
  if (pid_ == 0) {
    // A test that is killed leaves no QEMU, also if that was before this call.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    fcntl(debugger_end_.get(), F_SETFD, 0);
    fcntl(monitor_end_.get(), F_SETFD, 0);
    execv(program.c_str(), words.data());
    _exit(127);
  }
  debugger_end_ = {};
  monitor_end_ = {};
}

}  // namespace hltest::oracle
