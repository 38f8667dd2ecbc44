#include "x86/causes/inner_stack.h"
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/paging_mode.h>
#include "x86/registers/read_number.h"

#include <fmt/format.h>

namespace hltest::internal {
namespace {

constexpr std::uint64_t kSixteenBits = 0xFFFF;
constexpr std::uint64_t kThirtyTwoBits = 0xFFFF'FFFF;

struct Tss {
  const Registers& registers;
  const LinearReader& read;

  // Nothing is wrong with a field that is within the limit and can be read.
  std::string obstacle{};

  std::uint64_t field(std::string_view name, unsigned offset, unsigned size) {
    const Segment& tr = registers.tr;
    if (offset + size - 1 > tr.limit) {
      obstacle = fmt::format("the TSS at {} ends before {}: its limit is {:#x}", to_string(tr.base),
                             name, tr.limit);
      return 0;
    }
    const auto value = read_number(read, tr.base + offset, size);
    if (!value) {
      obstacle = fmt::format("{} in the TSS at {} can't be read", name, to_string(tr.base));
    }
    return value.value_or(0);
  }
};

// What a stack segment out of a TSS has to be (SDM vol. 3, 6.12.1.1; #TS otherwise).
std::string obstacle_in_descriptor(const std::optional<Descriptor>& descriptor, unsigned cpl) {
  if (!descriptor) return "which the GDT or LDT does not have";
  const auto why = [cpl](const auto& form) -> std::string {
    if constexpr (requires { form.writable; }) {
      if (!form.writable) return ": a stack requires writable data";
      if (form.dpl != cpl) return fmt::format(": a stack for CPL {0} requires DPL {0}", cpl);
      return form.present ? "" : ": it is not present";
    } else {
      return ": a stack requires writable data";
    }
  };
  const std::string wrong = std::visit(why, *descriptor);
  return wrong.empty() ? "" : to_string(*descriptor) + wrong;
}

// SSn:ESPn of a 32-bit TSS, or SSn:SPn of a 16-bit one (SDM vol. 3, figures 8-2 and 8-10).
SwitchedStack legacy_stack(const Registers& registers, const LinearReader& read, unsigned cpl) {
  const bool is_32_bit = (registers.tr.type & 8U) != 0;
  const std::string name = fmt::format("SS{}", cpl);
  const unsigned size = is_32_bit ? 4 : 2;
  const unsigned at = size + 2 * size * cpl;
  Tss tss{.registers = registers, .read = read};
  const auto selector = static_cast<std::uint16_t>(tss.field(name, at + size, 2));
  const std::uint64_t pointer = tss.field(name, at, size);
  if (!tss.obstacle.empty()) return {.obstacle = tss.obstacle};

  const std::string where = to_string(registers.tr.base);
  if ((selector & 0xFFFCU) == 0) {
    return {.obstacle =
                fmt::format("the TSS at {} has a null selector for {}: there is no stack for "
                            "CPL {}",
                            where, name, cpl)};
  }
  const std::string what =
      fmt::format("{} in the TSS at {} is selector {:#x}", name, where, selector);
  if ((selector & 3U) != cpl) {
    return {.obstacle = fmt::format("{}: a stack for CPL {} requires RPL {}", what, cpl, cpl)};
  }
  const auto descriptor = DescriptorReader{registers, read}.descriptor(selector);
  if (std::string wrong = obstacle_in_descriptor(descriptor, cpl); !wrong.empty()) {
    return {.obstacle = fmt::format("{}, {}", what, wrong)};
  }
  SwitchedStack stack{.top = {.pointer = pointer}};
  if (const auto* const data = std::get_if<Data32>(&*descriptor)) {
    stack.top.base = data->base;
    stack.top.mask = kThirtyTwoBits;
  } else {
    stack.top.base = std::get<Data16>(*descriptor).base;
    stack.top.mask = kSixteenBits;
  }
  return stack;
}

SwitchedStack stack_of_64_bits(const Registers& registers, const LinearReader& read,
                               const std::string& name, unsigned offset) {
  Tss tss{.registers = registers, .read = read};
  const std::uint64_t pointer = tss.field(name, offset, 8);
  if (!tss.obstacle.empty()) return {.obstacle = tss.obstacle};
  if (!is_valid_linear_address(paging_mode(registers), Gva{pointer})) {
    return {.obstacle = fmt::format("{} in the TSS at {}, {:#x}, is not canonical", name,
                                    to_string(registers.tr.base), pointer)};
  }
  return {.top = {.pointer = pointer & ~0xFULL}};  // the processor aligns it
}

}  // namespace

StackTop current_stack(const Registers& registers) {
  // Every event in IA-32e mode aligns the stack (SDM vol. 3, 6.14.2).
  if (registers.efer.lma()) return {.pointer = registers.rsp & ~0xFULL};
  return {.base = registers.ss.base,
          .pointer = registers.rsp,
          .mask = registers.ss.db ? kThirtyTwoBits : kSixteenBits};
}

SwitchedStack stack_of_tss(const Registers& registers, const LinearReader& read, unsigned cpl) {
  if (!registers.efer.lma()) return legacy_stack(registers, read, cpl);
  return stack_of_64_bits(registers, read, fmt::format("RSP{}", cpl), 4 + 8 * cpl);
}

SwitchedStack stack_of_ist(const Registers& registers, const LinearReader& read, unsigned ist) {
  return stack_of_64_bits(registers, read, fmt::format("IST{}", ist), 28 + 8 * ist);
}

}  // namespace hltest::internal
