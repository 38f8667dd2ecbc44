#include "machine/start_registers.h"
#include <hltest/x86/register_name.h>
#include "machine/start_descriptors.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace hltest {

void apply(const StartRegisters& start, CpuMode mode, Registers& registers) {
  const std::array<std::pair<const char*, std::optional<std::uint64_t>>, 18> values = {
      {{"rax", start.rax},
       {"rbx", start.rbx},
       {"rcx", start.rcx},
       {"rdx", start.rdx},
       {"rsi", start.rsi},
       {"rdi", start.rdi},
       {"rsp", start.rsp},
       {"rbp", start.rbp},
       {"r8", start.r8},
       {"r9", start.r9},
       {"r10", start.r10},
       {"r11", start.r11},
       {"r12", start.r12},
       {"r13", start.r13},
       {"r14", start.r14},
       {"r15", start.r15},
       {"rip", start.rip},
       {"rflags", start.rflags}}};
  for (const auto& [name, value] : values) {
    if (value.has_value()) set_register(registers, name, *value, mode);
  }
}

void set_start_register(Registers& registers, std::string_view name, std::uint64_t value,
                        CpuMode mode) {
  const std::string lower = lower_case(name);
  Segment* const segment = find_segment(registers, lower);
  if (segment == nullptr) {
    set_register(registers, name, value, mode);
    return;
  }
  const auto selector = static_cast<std::uint16_t>(value);
  if (selector != value) {
    throw RegisterError(
        fmt::format("{} = {:#x}: the value does not fit in its 16 bits", lower, value));
  }
  if (mode == CpuMode::kReal16) {
    segment->selector = selector;
    segment->base = Gva{value * 16};
    return;
  }
  const std::optional<Segment> loaded = StartDescriptors{mode}.segment(selector);
  if (!loaded.has_value()) {
    throw RegisterError(fmt::format(
        "{} = {:#x}: the start state's GDT has no such segment: it has code at 0x8 (32-bit), 0x18 "
        "(64-bit) and 0x50 (16-bit), data at 0x10, 0x20 and 0x58, and for CPL 3 code at 0x2b, 0x3b "
        "and 0x63, data at 0x33 and 0x6b",
        lower, value));
  }
  *segment = *loaded;
}

}  // namespace hltest
