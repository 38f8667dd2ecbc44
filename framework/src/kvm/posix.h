#pragma once

#include <cstddef>
#include <cstdint>

/// The system calls of the layer, and nothing else: each forwards its arguments as they are and
/// leaves errno. A test program that defines these functions itself takes their place at link time
/// and can provoke any error.
namespace hltest::internal::kvm::posix {

int open(const char* path, int flags);
int close(int fd);
/// `argument` is a pointer or a number, as the request wants it.
int ioctl(int fd, unsigned long request, std::uintptr_t argument);
/// MAP_FAILED on error. `fd` -1 with MAP_ANONYMOUS.
void* mmap(std::size_t size, int protection, int flags, int fd);
int madvise(void* address, std::size_t size, int advice);
int munmap(void* address, std::size_t size);
/// One byte for each page to `resident`: bit 0 tells whether it has ever been touched.
int mincore(void* address, std::size_t size, unsigned char* resident);

}  // namespace hltest::internal::kvm::posix
