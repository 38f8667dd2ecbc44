#pragma once

#include <sys/types.h>

/// The bare-ioctl loop in a process of its own: what the fixture keeps in its process (memory
/// mappings, timers, open files) does not slow it down or speed it up.
class BareProcess {
 public:
  /// Forks the process, which waits. Throws `std::system_error`.
  BareProcess();
  ~BareProcess();
  BareProcess(const BareProcess&) = delete;
  BareProcess& operator=(const BareProcess&) = delete;
  BareProcess(BareProcess&&) = delete;
  BareProcess& operator=(BareProcess&&) = delete;

  /// Has it run one cycle with so many bytes of memory. Returns how long that took in
  /// microseconds, measured in the process; negative if the cycle failed.
  double cycle(unsigned long memory_size);

 private:
  int to_process_ = -1;
  int from_process_ = -1;
  pid_t process_ = -1;
};
