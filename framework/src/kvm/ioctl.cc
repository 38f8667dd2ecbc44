#include "kvm/ioctl.h"
#include "kvm/error.h"

#include <cerrno>

namespace hltest::internal::kvm {
namespace {

int call_until_done(const UniqueFd& fd, const char* name, unsigned long number,
                    std::uintptr_t argument, const std::string& detail) {
  for (;;) {
    const int result = posix::ioctl(fd.get(), number, argument);
    if (result >= 0) return result;
    if (errno == EINTR) continue;
    const int error_number = errno;
    throw HostError(detail.empty() ? name : std::string{name} + " (" + detail + ")", error_number);
  }
}

}  // namespace

CpuidEntry from_kvm(const kvm_cpuid_entry2& entry) {
  return {.leaf = {.leaf = entry.function, .subleaf = entry.index},
          .flags = entry.flags,
          .registers = {.eax = entry.eax, .ebx = entry.ebx, .ecx = entry.ecx, .edx = entry.edx}};
}

kvm_cpuid_entry2 to_kvm(const CpuidEntry& entry) {
  return {.function = entry.leaf.leaf,
          .index = entry.leaf.subleaf,
          .flags = entry.flags,
          .eax = entry.registers.eax,
          .ebx = entry.registers.ebx,
          .ecx = entry.registers.ecx,
          .edx = entry.registers.edx,
          .padding = {}};
}

int call(const UniqueFd& fd, Request<void> request, std::uintptr_t argument,
         const std::string& detail) {
  return call_until_done(fd, request.name, request.number, argument, detail);
}

int call_raw(const UniqueFd& fd, const char* name, unsigned long number, void* payload,
             const std::string& detail) {
  return call_until_done(fd, name, number, std::bit_cast<std::uintptr_t>(payload), detail);
}

}  // namespace hltest::internal::kvm
