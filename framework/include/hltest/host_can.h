#pragma once

#include <string>

namespace hltest {

/// What a guest may need and not every KVM can run: software KVMs have gaps, emulated processors
/// too.
enum class Ability {
  k32BitPaging,
  kPaePaging,
  k5LevelPaging,
  kVirtual8086,         ///< entered by IRETD
  kSoftwareInterrupts,  ///< INT n in protected mode
  kSseArithmetic,
  kCpuidChanges,        ///< `Machine::cpuid()` for leaves that the host has too
  kSegmentLimitChecks,  ///< #GP for an access beyond a segment's limit
};

/// Whether this host can, and why not: `if (const auto can = HostCan(Ability::kPaePaging); !can)
/// GTEST_SKIP() << can.reason;`
struct HostCan {
  /// Finds out by running a guest, once a process; asks nothing by the host's name. Throws
  /// `KvmUnavailable` without KVM.
  explicit HostCan(Ability ability);
  [[nodiscard]] explicit operator bool() const { return reason.empty(); }

  std::string reason{};  ///< empty where it can
};

}  // namespace hltest
