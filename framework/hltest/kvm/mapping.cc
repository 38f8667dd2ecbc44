#include <hltest/kvm/error.h>
#include <hltest/kvm/mapping.h>

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

namespace hltest::kvm {

Mapping Mapping::anonymous(std::size_t size) {
  void* const data =
      posix::mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (data == MAP_FAILED) throw Error(fmt::format("mmap of {:#x} bytes", size), errno);
  return {data, size};
}

Mapping Mapping::shared(const UniqueFd& fd, std::size_t size) {
  void* const data = posix::mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get());
  if (data == MAP_FAILED) throw Error(fmt::format("mmap of {:#x} bytes of a vCPU", size), errno);
  return {data, size};
}

void Mapping::resize(std::size_t size) {
  void* const data = posix::mremap(data_, size_, size);
  if (data == MAP_FAILED) throw Error(fmt::format("mremap to {:#x} bytes", size), errno);
  data_ = static_cast<std::uint8_t*>(data);
  size_ = size;
}

Mapping::~Mapping() {
  if (data_ != nullptr) posix::munmap(data_, size_);
}

}  // namespace hltest::kvm
