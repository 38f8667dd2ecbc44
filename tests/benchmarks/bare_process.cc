#include "bare_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "bare_ioctl.h"

namespace {

[[noreturn]] void serve(int requests, int answers) {
  using Clock = std::chrono::steady_clock;
  unsigned long memory_size = 0;
  while (read(requests, &memory_size, sizeof memory_size) == sizeof memory_size) {
    const auto start = Clock::now();
    const bool is_good = bare_ioctl_cycle(memory_size) == 0x2A;
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    const double answer = is_good ? time.count() : -1;
    if (write(answers, &answer, sizeof answer) != sizeof answer) break;
  }
  _exit(0);
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  return ends;
}

}  // namespace

BareProcess::BareProcess() {
  const auto [requests_read, requests_write] = make_pipe();
  const auto [answers_read, answers_write] = make_pipe();
  process_ = fork();
  if (process_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (process_ == 0) {
    close(requests_write);
    close(answers_read);
    serve(requests_read, answers_write);
  }
  close(requests_read);
  close(answers_write);
  to_process_ = requests_write;
  from_process_ = answers_read;
}

BareProcess::~BareProcess() {
  close(to_process_);
  close(from_process_);
  waitpid(process_, nullptr, 0);
}

double BareProcess::cycle(unsigned long memory_size) {
  double time = -1;
  const bool is_sent = write(to_process_, &memory_size, sizeof memory_size) == sizeof memory_size;
  if (!is_sent || read(from_process_, &time, sizeof time) != sizeof time) return -1;
  return time;
}
