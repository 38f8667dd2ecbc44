#include <hltest/kvm/error.h>

#include <fmt/format.h>

#include <cstring>

namespace hltest::kvm {

Error::Error(const std::string& operation, int error_number)
    : std::system_error(error_number, std::generic_category(), operation) {
  const char* const name = ::strerrorname_np(error_number);
  message_ = fmt::format("{}: {} ({})", operation, std::generic_category().message(error_number),
                         name != nullptr ? name : "unknown errno");
}

}  // namespace hltest::kvm
