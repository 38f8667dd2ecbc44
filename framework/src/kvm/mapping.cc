#include "kvm/mapping.h"
#include "kvm/error.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace hltest::internal::kvm {

Mapping Mapping::anonymous(std::size_t size) {
  void* const data =
      posix::mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (data == MAP_FAILED) throw HostError(fmt::format("mmap of {:#x} bytes", size), errno);
  return {data, size};
}

Mapping Mapping::shared(const UniqueFd& fd, std::size_t size) {
  void* const data = posix::mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get());
  if (data == MAP_FAILED)
    throw HostError(fmt::format("mmap of {:#x} bytes of a vCPU", size), errno);
  return {data, size};
}

void Mapping::clear() {
  if (posix::madvise(data_, size_, MADV_DONTNEED) == 0) return;
  throw HostError(fmt::format("madvise of {:#x} bytes", size_), errno);
}

std::vector<std::size_t> Mapping::touched_pages() const {
  std::vector<unsigned char> resident((size_ + kPage - 1) / kPage);
  if (posix::mincore(data_, size_, resident.data()) != 0) {
    throw HostError(fmt::format("mincore of {:#x} bytes", size_), errno);
  }
  std::vector<std::size_t> pages;
  // Nearly all are 0, and a gigabyte has many.
  for (auto at = resident.begin();; ++at) {
    at = std::find_if(at, resident.end(), [](unsigned char each) { return (each & 1U) != 0; });
    if (at == resident.end()) return pages;
    pages.push_back(static_cast<std::size_t>(at - resident.begin()) * kPage);
  }
}

Mapping::~Mapping() {
  if (data_ != nullptr) posix::munmap(data_, size_);
}

}  // namespace hltest::internal::kvm
