#include "kvm/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace hltest::kvm {

Error::Error(const std::string& operation, int error_number)
    : std::system_error(error_number, std::generic_category(), operation) {
  const char* const name = ::strerrorname_np(error_number);
  message_ = fmt::format("{}: {} ({})", operation, std::generic_category().message(error_number),
                         name != nullptr ? name : "unknown errno");
}

Unavailable unavailable_because(const Error& error) {
  const char* remedy = "this KVM can't create a virtual machine: see the kernel's log (dmesg)";
  switch (error.code().value()) {
    case ENOMEM:
    case ENOSPC:
    case EBUSY:
      remedy = "the host has no room for one more VM: end others, or run fewer tests at a time";
      break;
    case EMFILE:
    case ENFILE:
      remedy = "too many files are open: raise `ulimit -n`, or run fewer tests at a time";
      break;
    default:
      break;
  }
  return Unavailable{fmt::format("{}; {}", error.what(), remedy)};
}

}  // namespace hltest::kvm
