#include "fake_posix.h"

#include <sys/mman.h>
#include "kvm/ioctl.h"
#include "kvm/posix.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace fake {

Posix& posix() {
  static Posix instance;
  return instance;
}

Ioctl fails_with(int error_number) {
  return [error_number](std::uintptr_t) {
    errno = error_number;
    return -1;
  };
}

void reset() {
  using namespace hltest::internal::kvm;
  posix() = Posix{};
  const auto returns = [](int result) { return [result](std::uintptr_t) { return result; }; };
  posix().ioctls = {{kGetApiVersion.number, returns(12)}, {kGetVcpuMmapSize.number, returns(4096)},
                    {kCreateVm.number, returns(100)},     {kCreateVcpu.number, returns(101)},
                    {kSetTssAddr.number, returns(0)},     {kGetSupportedCpuid.number, returns(0)},
                    {kSetCpuid2.number, returns(0)}};
}

}  // namespace fake

namespace hltest::internal::kvm::posix {

int open(const char* /*path*/, int /*flags*/) {
  fake::Posix& posix = fake::posix();
  if (posix.open_interruptions-- > 0) {
    errno = EINTR;
    return -1;
  }
  if (posix.open_error != 0) {
    errno = posix.open_error;
    return -1;
  }
  ++posix.opened;
  return 99;
}

int close(int /*fd*/) {
  ++fake::posix().closed;
  return 0;
}

int ioctl(int /*fd*/, unsigned long request, std::uintptr_t argument) {
  fake::Posix& posix = fake::posix();
  posix.calls.push_back(request);
  const auto found = posix.ioctls.find(request);
  return found != posix.ioctls.end() ? found->second(argument) : fake::fails_with(ENOTTY)(argument);
}

void* mmap(std::size_t size, int /*protection*/, int /*flags*/, int /*fd*/) {
  if (fake::posix().mmap_error != 0) {
    errno = fake::posix().mmap_error;
    return MAP_FAILED;
  }
  return std::calloc(1, size);
}

int madvise(void* address, std::size_t size, int /*advice*/) {
  std::memset(address, 0, size);
  return 0;
}

int munmap(void* address, std::size_t /*size*/) {
  std::free(address);
  return 0;
}

int mincore(void* /*address*/, std::size_t /*size*/, unsigned char* /*resident*/) {
  return fake::fails_with(ENOSYS)(0);
}

}  // namespace hltest::internal::kvm::posix
