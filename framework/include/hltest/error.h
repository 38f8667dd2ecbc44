#pragma once

#include <stdexcept>
#include <string>

namespace hltest {

/// The base of every exception that hltest throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A run that can't begin: the image or its entry are not in the guest's memory, or a setting makes
/// no sense. The message names the input and what to do.
class SetupError : public Error {
 public:
  using Error::Error;
};

/// An access outside the guest's memory, or memory that this host can't give. The message names the
/// range and what there is.
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// A system call of the host failed: `KVM_CREATE_VCPU (vCPU 0): Cannot allocate memory (ENOMEM);
/// the host has no memory left: end other programs`.
class HostError : public Error {
 public:
  /// `operation` is the call and its argument; `error_number` is what errno was.
  HostError(const std::string& operation, int error_number);
  /// Errno after the call.
  [[nodiscard]] int error_number() const { return error_number_; }

 private:
  int error_number_;
};

/// This host has no KVM that hltest can use. The message says why, and what to do about it.
class KvmUnavailable : public Error {
 public:
  using Error::Error;
};

}  // namespace hltest
