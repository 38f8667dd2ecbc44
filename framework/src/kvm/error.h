#pragma once

#include <string>

#include <hltest/error.h>

namespace hltest::internal::kvm {

/// `open /dev/kvm: Permission denied (EACCES)`.
std::string describe_failure(const std::string& operation, int error_number);

/// `error`, from creating a VM or a vCPU, as the reason why the host can't give one now.
KvmUnavailable unavailable_because(const HostError& error);

}  // namespace hltest::internal::kvm
