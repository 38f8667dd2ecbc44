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
  k1GiBPages,
  kFarCalls,              ///< CALL ptr16:32 in protected mode
  kCallGates,             ///< CALL through a call gate, from CPL 3 to CPL 0
  kIret,                  ///< IRETD in protected mode
  kSyscall,               ///< SYSCALL from 64-bit code at CPL 3
  kSysret,                ///< SYSRET to 64-bit code at CPL 3
  kPrivilegeOf64BitCpl3,  ///< 64-bit code at CPL 3 with the guest's own IOPL
  kSmep,
  kSmap,
  kUmip,
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
