#include "kvm/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace hltest {
namespace {

const char* remedy_for(int error_number) {
  switch (error_number) {
    case ENOMEM:
    case ENOSPC:
    case EAGAIN:
      return "the host has no memory or room left for it: end other programs, or run fewer tests "
             "at "
             "a time";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise `ulimit -n`, or run fewer tests at a time";
    case EPERM:
    case EACCES:
      return "the host does not allow it: check its security policy";
    case EIO:
      return "the VM belongs to another process: a forked child has to make its own";
    case EINVAL:
    case ENOTTY:
    case ENXIO:
    case EOPNOTSUPP:
      return "this host's KVM refuses it: Linux 5.10 or later is needed";
    default:
      return "the kernel's log may say more (dmesg)";
  }
}

}  // namespace

HostError::HostError(const std::string& operation, int error_number)
    : Error(fmt::format("{}; {}", internal::kvm::describe_failure(operation, error_number),
                        remedy_for(error_number))),
      error_number_(error_number) {}

namespace internal::kvm {

std::string describe_failure(const std::string& operation, int error_number) {
  const char* const name = ::strerrorname_np(error_number);
  return fmt::format("{}: {} ({})", operation, std::generic_category().message(error_number),
                     name != nullptr ? name : "unknown errno");
}

KvmUnavailable unavailable_because(const HostError& error) {
  const bool is_taken = error.error_number() == EBUSY;
  return KvmUnavailable{std::string{error.what()} +
                        (is_taken ? "; another hypervisor has the processor: end it" : "")};
}

}  // namespace internal::kvm
}  // namespace hltest
