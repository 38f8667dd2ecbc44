#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace hltest::kvm {

/// A system call that failed: `KVM_CREATE_VCPU (vCPU 0): Cannot allocate memory (ENOMEM)`.
class Error : public std::system_error {
 public:
  /// `operation` is the call and its argument; `error_number` what errno was.
  Error(const std::string& operation, int error_number);
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// This host has no KVM that hltest can use; the message says why, and what to do about it.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `error`, from creating a VM or a vCPU, as the reason why the host can't give one now.
Unavailable unavailable_because(const Error& error);

}  // namespace hltest::kvm
