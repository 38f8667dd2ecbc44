#pragma once

#include <hltest/hltest.h>

/// True when SYSCALL of 64-bit code at CPL 3 reaches where LSTAR points.
inline bool runs_syscall(hltest::CpuMode mode) {
  hltest::Machine probe{mode};
  probe.set_cpl(3);
  const hltest::Outcome outcome = probe.run(hltest::FlatImage{"probe", {0x0F, 0x05, 0xF4}});
  return std::holds_alternative<hltest::SystemCall>(outcome.stop);
}
