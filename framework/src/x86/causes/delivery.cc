#include "x86/causes/delivery.h"
#include <hltest/x86/cpu_mode.h>
#include "x86/causes/inner_stack.h"
#include "x86/registers/read_number.h"

#include <fmt/format.h>

#include <type_traits>

namespace hltest::internal {
namespace {

// What a gate and the code segment that it names make of an event.
struct Handler {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
  unsigned ist = 0;
  // Of its code segment:
  Gva base{};
  std::uint32_t limit = 0xFFFF'FFFF;
  unsigned cpl = 0;  // that it runs at
};

struct Delivery {
  Vector vector;
  const Registers& registers;
  const std::function<PageWalk(Gva gva)>& walk;
  const LinearReader& read;
  DescriptorReader tables{registers, read};
  bool ia32e = registers.efer.lma();

  [[nodiscard]] std::string name() const {
    return fmt::format("{} (vector {:#x})", mnemonic(vector), static_cast<unsigned>(vector));
  }

  [[nodiscard]] std::string missing_gate() const {
    const std::uint64_t size = gate_size(registers);
    const std::uint64_t last = static_cast<std::uint64_t>(vector) * size + size - 1;
    const DescriptorTableRegister& idt = registers.idt;
    if (idt.limit < last) {
      return fmt::format("the IDT at {} ends before the gate for {}: its limit is {:#x}",
                         to_string(idt.base), name(), idt.limit);
    }
    const Gva at = idt.base + (last + 1 - size);
    const PageWalk found = walk(at);
    return found.translated()
               ? fmt::format("the IDT at {} is where there is no memory", to_string(idt.base))
               : fmt::format("the IDT at {} is not mapped: {}", to_string(idt.base),
                             to_string(found.end));
  }

  // Sets the fields of `handler` that its code segment decides.
  [[nodiscard]] std::string code_segment(Handler& handler) const {
    const std::string selector = fmt::format("the handler's selector {:#x}", handler.selector);
    if ((handler.selector & 0xFFFCU) == 0) return selector + " is a null selector";
    const std::optional<Descriptor> code = tables.descriptor(handler.selector);
    if (!code) {
      return fmt::format("{} is beyond the end of the {}, or the table is not mapped", selector,
                         is_in_ldt(handler.selector)
                             ? std::string{"LDT"}
                             : fmt::format("GDT (limit {:#x})", registers.gdt.limit));
    }
    const std::string why = std::visit(
        [&](const auto& form) -> std::string {
          if constexpr (requires { form.conforming; }) {
            if (ia32e && !std::is_same_v<std::decay_t<decltype(form)>, Code64>) {
              return "a handler requires 64-bit code";
            }
            if (form.dpl > registers.cpl()) {
              return fmt::format("a handler requires a DPL of at most CPL, {}", registers.cpl());
            }
            if (!form.present) return "it is not present";
            if constexpr (requires { form.base; }) {
              handler.base = form.base;
              handler.limit = form.limit;
            }
            handler.cpl = form.conforming ? registers.cpl() : form.dpl;
            if (registers.rflags.vm() && handler.cpl != 0) {
              return "from virtual-8086 mode a handler requires CPL 0";
            }
            return "";
          } else {
            return fmt::format("a handler requires {}code", ia32e ? "64-bit " : "");
          }
        },
        *code);
    return why.empty() ? "" : fmt::format("{} is a {}: {}", selector, to_string(*code), why);
  }

  // The stack that the frame is pushed on (SDM vol. 3, 6.12.1 and 6.14.2 to 6.14.5).
  [[nodiscard]] std::string stack(const Handler& handler) const {
    SwitchedStack stack{.top = current_stack(registers)};
    if (handler.ist != 0) {
      stack = stack_of_ist(registers, read, handler.ist);
    } else if (handler.cpl < registers.cpl()) {
      stack = stack_of_tss(registers, read, handler.cpl);
    }
    if (!stack.obstacle.empty()) return stack.obstacle;
    const Gva top = stack.top.below(ia32e ? 8 : 4);
    const PageWalk found = walk(top);
    if (!found.translated()) {
      return fmt::format("the stack at {} is not mapped: {}", to_string(top), to_string(found.end));
    }
    const bool read_only = (found.flags & kReadWrite) == PageFlags::kReadOnly;
    if (registers.cr0.pg() && registers.cr0.wp() && read_only) {
      return fmt::format("the stack at {} is in a read-only page", to_string(top));
    }
    return {};
  }

  [[nodiscard]] std::string handler_code(const Handler& handler) const {
    if (!ia32e && handler.offset > handler.limit) {
      return fmt::format("the handler at {:#x}:{:#x} is beyond the limit of its segment, {:#x}",
                         handler.selector, handler.offset, handler.limit);
    }
    const std::uint64_t linear = handler.base.value() + handler.offset;
    const Gva at{ia32e ? linear : linear & 0xFFFF'FFFF};
    if (!is_valid_linear_address(paging_mode(registers), at)) {
      return fmt::format("the handler's address in the gate for {}, {}, is not canonical", name(),
                         to_string(at));
    }
    const PageWalk found = walk(at);
    if (!found.translated() || read(at, 1).empty()) {
      return fmt::format("the handler at {} is not mapped, or where there is no memory",
                         to_string(at));
    }
    if (registers.efer.nxe() && (found.flags & kNoExecute) != PageFlags::kReadOnly) {
      return fmt::format("the handler at {} is in a page that forbids execution", to_string(at));
    }
    return {};
  }

  [[nodiscard]] std::string obstacle() const {
    const std::optional<Descriptor> gate = tables.gate(vector);
    if (!gate) return missing_gate();
    Handler handler;
    std::string wrong = std::visit(
        [&](const auto& form) -> std::string {
          if constexpr (requires { form.ist; }) {
            handler = {.selector = form.selector, .offset = form.offset, .ist = form.ist};
            return form.present ? "" : "the gate for " + name() + " is not present";
          } else if constexpr (std::is_same_v<std::decay_t<decltype(form)>, TaskGate>) {
            return form.present ? "" : "the gate for " + name() + " is not present";
          } else {
            return fmt::format("the IDT entry for {} is not a gate: {}", name(),
                               to_string(Descriptor{form}));
          }
        },
        *gate);
    if (!wrong.empty() || std::holds_alternative<TaskGate>(*gate)) return wrong;
    wrong = code_segment(handler);
    if (wrong.empty()) wrong = stack(handler);
    return wrong.empty() ? handler_code(handler) : wrong;
  }
};

}  // namespace

std::string obstacle_to_delivery(Vector vector, const Registers& registers,
                                 const std::function<PageWalk(Gva gva)>& walk,
                                 const LinearReader& read) {
  if (!registers.cr0.pe()) {
    const std::uint64_t last = static_cast<std::uint64_t>(vector) * 4 + 3;
    if (registers.idt.limit >= last) return {};
    return fmt::format("the IVT at {} ends before vector {:#x}: its limit is {:#x}",
                       to_string(registers.idt.base), static_cast<unsigned>(vector),
                       registers.idt.limit);
  }
  std::string obstacle =
      Delivery{.vector = vector, .registers = registers, .walk = walk, .read = read}.obstacle();
  constexpr DescriptorTableRegister kRealMode{Gva{0}, 0x3FF};
  if (obstacle.empty() || registers.idt != kRealMode) return obstacle;
  return "IDTR still has its real-mode value (base 0x0, limit 0x3ff): " + obstacle;
}

}  // namespace hltest::internal
