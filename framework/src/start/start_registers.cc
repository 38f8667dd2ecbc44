#include <hltest/register_settings.h>
#include <hltest/start_descriptors.h>
#include <hltest/start_registers.h>
#include <hltest/x86/register_name.h>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace hltest {
namespace {

// Calls `visit` with each setting and the register that it is for.
template <typename Settings, typename Values, typename Visit>
void for_each_register(Settings& settings, Values& values, Visit visit) {
  visit(settings.rax, values.rax);
  visit(settings.rbx, values.rbx);
  visit(settings.rcx, values.rcx);
  visit(settings.rdx, values.rdx);
  visit(settings.rsi, values.rsi);
  visit(settings.rdi, values.rdi);
  visit(settings.rsp, values.rsp);
  visit(settings.rbp, values.rbp);
  visit(settings.r8, values.r8);
  visit(settings.r9, values.r9);
  visit(settings.r10, values.r10);
  visit(settings.r11, values.r11);
  visit(settings.r12, values.r12);
  visit(settings.r13, values.r13);
  visit(settings.r14, values.r14);
  visit(settings.r15, values.r15);
  visit(settings.rip, values.rip);
  visit(settings.rflags, values.rflags);
  visit(settings.cs, values.cs);
  visit(settings.ds, values.ds);
  visit(settings.es, values.es);
  visit(settings.fs, values.fs);
  visit(settings.gs, values.gs);
  visit(settings.ss, values.ss);
  visit(settings.tr, values.tr);
  visit(settings.ldt, values.ldt);
  visit(settings.gdt, values.gdt);
  visit(settings.idt, values.idt);
  visit(settings.cr0, values.cr0);
  visit(settings.cr2, values.cr2);
  visit(settings.cr3, values.cr3);
  visit(settings.cr4, values.cr4);
  visit(settings.cr8, values.cr8);
  visit(settings.efer, values.efer);
}

// What a load of `selector` makes of a segment register in the start state.
Segment load(const Segment& before, std::string_view name, std::uint64_t value, CpuMode mode) {
  const auto selector = static_cast<std::uint16_t>(value);
  if (selector != value) {
    throw RegisterError(
        fmt::format("{} = {:#x}: the value does not fit in its 16 bits", name, value));
  }
  if (mode == CpuMode::kReal16) {
    Segment loaded = before;
    loaded.selector = selector;
    loaded.base = Gva{value * 16};
    return loaded;
  }
  if (const auto loaded = StartDescriptors{mode}.segment(selector)) return *loaded;
  throw RegisterError(fmt::format(
      "{} = {:#x}: the start state's GDT has no such segment: it has code at 0x8 (32-bit), 0x18 "
      "(64-bit) and 0x50 (16-bit), data at 0x10, 0x20 and 0x58, and for CPL 3 code at 0x2b, 0x3b "
      "and 0x63, data at 0x33 and 0x6b",
      name, value));
}

}  // namespace

void RegisterSettings::set_all_segments(const Segment& segment) {
  for (Given<Segment>* const each : {&cs, &ds, &es, &fs, &gs, &ss}) *each = segment;
}

Registers RegisterSettings::values() const {
  Registers values;
  for_each_register(*this, values,
                    [](const auto& setting, auto& value) { value = setting.value(); });
  return values;
}

void RegisterSettings::set_defaults(const Registers& defaults) {
  for_each_register(*this, defaults,
                    [](auto& setting, const auto& value) { setting.set_default(value); });
}

void RegisterSettings::set(std::string_view name, std::uint64_t value, CpuMode mode) {
  const std::string lower = lower_case(name);
  const Registers before = values();
  Registers changed = before;
  if (Segment* const segment = find_segment(changed, lower)) {
    *segment = load(*segment, lower, value, mode);
  } else {
    set_register(changed, name, value, mode);
  }
  if (lower == "rip" || lower == "eip" || lower == "ip") rip = changed.rip;
  // One that has this value already by default needs not be given.
  for_each_register(*this, changed, [](auto& setting, const auto& now) {
    if (!(setting.value() == now)) setting = now;
  });
}

void apply(const StartRegisters& start, CpuMode mode, Registers& registers) {
  const std::array<std::pair<const char*, std::optional<RegisterValue>>, 18> values = {
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
    if (value.has_value()) set_register(registers, name, value->value(), mode);
  }
}

}  // namespace hltest
