#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include "kvm/exit.h"
#include "machine/port_log.h"

namespace hltest {

enum class ExitReason : std::uint8_t {
  kHlt,            ///< KVM_EXIT_HLT
  kIo,             ///< KVM_EXIT_IO
  kMmio,           ///< KVM_EXIT_MMIO
  kDebug,          ///< KVM_EXIT_DEBUG
  kRdmsr,          ///< KVM_EXIT_X86_RDMSR
  kWrmsr,          ///< KVM_EXIT_X86_WRMSR
  kShutdown,       ///< KVM_EXIT_SHUTDOWN
  kInternalError,  ///< KVM_EXIT_INTERNAL_ERROR
  kFailEntry,      ///< KVM_EXIT_FAIL_ENTRY
  kInterrupted,    ///< KVM_EXIT_INTR: the deadline
  kUnknown,        ///< any other
};

/// One return from the guest to the host: its reason and, for port and MMIO accesses, what was
/// transferred. Fields that the reason has no use for are 0 or empty.
struct VmExit {
  ExitReason reason = ExitReason::kHlt;
  Direction direction = Direction::kIn;
  Port port = 0;
  Gpa gpa{};
  std::uint8_t size = 0;    ///< of one element, in bytes
  std::uint32_t count = 0;  ///< elements: over 1 for string instructions on some hosts
  /// What was transferred, `count` times `size` bytes, lowest byte first.
  std::vector<std::uint8_t> data{};
  std::uint32_t raw_reason = 0;  ///< for kUnknown: the number in <linux/kvm.h>

  friend bool operator==(const VmExit&, const VmExit&) = default;
};

/// `KVM_EXIT_IO: out 0x3f8, 1 byte: 34`.
std::string to_string(const VmExit& exit);

/// The record of an exit. For an IN or an MMIO read it is to be made after the answer was filled
/// in.
VmExit record(const kvm::Exit& exit);

}  // namespace hltest
