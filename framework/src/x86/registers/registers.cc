#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

Gva Registers::code_address() const {
  if (cpu_mode(*this) == CpuMode::kLong64) return Gva{rip};
  return Gva{(cs.base.value() + rip) & 0xFFFF'FFFF};
}

void Registers::set_all_segments(const Segment& segment) {
  for (Segment* const each : {&cs, &ds, &es, &fs, &gs, &ss}) *each = segment;
}

}  // namespace hltest
