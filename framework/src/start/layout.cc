#include "start/layout.h"

#include "start/default_registers.h"
#include "start/entry.h"
#include "start/system_region.h"

namespace hltest::internal {

Snapshot lay_out(const StartState& state, const FlatImage& image, const StartRegisters& start,
                 const Surroundings& surroundings) {
  check_image(image, surroundings.pages.layout());
  Snapshot snapshot{.registers = entry_registers(image, state, start, surroundings.pages.layout()),
                    .xstate = state.xstate,
                    .cpuid = state.cpuid,
                    .memory = surroundings.pages,
                    .a20_is_open = state.a20_is_open};
  const Gva idt = put_system_region(state, image, surroundings, snapshot.memory);
  if (!state.registers.idt.is_given()) snapshot.registers.idt.base = idt;
  snapshot.memory.write(image.load_address(), image.bytes());
  if (state.cpl() == 3) snapshot.msrs = system_call_msrs(state.mode());
  for (const auto& [msr, value] : state.msrs) snapshot.msrs.push_back({msr, value});
  return snapshot;
}

}  // namespace hltest::internal
