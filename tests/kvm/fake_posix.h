#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

// Takes the place of kvm/posix.cc in a test program that links fake_posix.cc: /dev/kvm is whatever
// a test says it is.
namespace fake {

/// What an ioctl does: sets errno and returns -1, or returns a result.
using Ioctl = std::function<int(std::uintptr_t argument)>;

struct Posix {
  int open_error = 0;          ///< errno of open, 0 for success
  int open_interruptions = 0;  ///< how often EINTR comes first
  int mmap_error = 0;
  std::map<unsigned long, Ioctl> ioctls;
  std::vector<unsigned long> calls;  ///< the numbers of the ioctls that were made
  int opened = 0;
  int closed = 0;
};

/// The one that the program's calls go to; each test starts with a new one.
Posix& posix();
/// A /dev/kvm that works as far as creating a VM with a vCPU.
void reset();
/// An ioctl that fails.
Ioctl fails_with(int error_number);

}  // namespace fake
