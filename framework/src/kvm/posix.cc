#include "kvm/posix.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hltest::internal::kvm::posix {

int open(const char* path, int flags) { return ::open(path, flags); }
int close(int fd) { return ::close(fd); }
int ioctl(int fd, unsigned long request, std::uintptr_t argument) {
  return ::ioctl(fd, request, argument);
}
void* mmap(std::size_t size, int protection, int flags, int fd) {
  return ::mmap(nullptr, size, protection, flags, fd, 0);
}
int madvise(void* address, std::size_t size, int advice) {
  return ::madvise(address, size, advice);
}
int munmap(void* address, std::size_t size) { return ::munmap(address, size); }
int mincore(void* address, std::size_t size, unsigned char* resident) {
  return ::mincore(address, size, resident);
}

}  // namespace hltest::internal::kvm::posix
