#pragma once

#include <hltest/hltest.h>

/// Skips a test whose guest met an instruction that this host's KVM can't run. To be used where the
/// test itself can't be at fault: it passes where the instruction runs.
#define SKIP_AT_HOST_LIMIT(outcome)                                  \
  do {                                                               \
    if (std::holds_alternative<::hltest::HostLimit>((outcome).stop)) \
      GTEST_SKIP() << ::hltest::describe((outcome).stop);            \
  } while (false)

/// Whether this host runs a guest with this bit of CR4 set.
inline bool has_control_bit(hltest::CpuMode mode, std::uint64_t bit) {
  hltest::Machine probe{mode};
  probe.registers().cr4->value |= bit;
  try {
    return probe.run(hltest::FlatImage{"probe", {0xF4}}).halted();
  } catch (const hltest::SetupError&) {
    return false;
  }
}

/// True when SYSCALL of 64-bit code at CPL 3 reaches where LSTAR points.
inline bool runs_syscall(hltest::CpuMode mode) {
  hltest::Machine probe{mode};
  probe.set_cpl(3);
  const hltest::Outcome outcome = probe.run(hltest::FlatImage{"probe", {0x0F, 0x05, 0xF4}});
  return std::holds_alternative<hltest::SystemCall>(outcome.stop);
}
