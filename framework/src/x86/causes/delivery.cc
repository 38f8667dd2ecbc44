#include "x86/causes/delivery.h"
#include <hltest/x86/cpu_mode.h>

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

namespace hltest {
namespace {

// The part of an IDT's gates that all have.
struct Handler {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
  unsigned ist = 0;
};

struct Delivery {
  Vector vector;
  const Registers& registers;
  const std::function<PageWalk(Gva gva)>& walk;
  const LinearReader& read;
  DescriptorReader tables{registers, read};
  bool ia32e = registers.efer.lma();

  [[nodiscard]] std::string name() const {
    return fmt::format("the gate for {} (vector {:#x})", mnemonic(vector),
                       static_cast<unsigned>(vector));
  }

  [[nodiscard]] std::string missing_gate() const {
    const std::uint64_t size = gate_size(registers);
    const std::uint64_t last = static_cast<std::uint64_t>(vector) * size + size - 1;
    const DescriptorTableRegister& idt = registers.idt;
    if (idt.limit < last) {
      return fmt::format("the IDT at {} ends before {}: its limit is {:#x}", to_string(idt.base),
                         name(), idt.limit);
    }
    const Gva at = idt.base + (last + 1 - size);
    const PageWalk found = walk(at);
    return found.translated()
               ? fmt::format("the IDT at {} is where there is no memory", to_string(idt.base))
               : fmt::format("the IDT at {} is not mapped: {}", to_string(idt.base),
                             to_string(found.end));
  }

  [[nodiscard]] std::string code_segment(const Handler& handler) const {
    const std::optional<Descriptor> code = tables.descriptor(handler.selector);
    const std::string selector = fmt::format("the handler's selector {:#x}", handler.selector);
    if (!code) {
      return fmt::format("{} is beyond the end of the GDT (limit {:#x}), or the GDT is not mapped",
                         selector, registers.gdt.limit);
    }
    const bool is_right = std::visit(
        [this](const auto& form) {
          if constexpr (requires { form.conforming; }) {
            return form.present && (!ia32e || std::is_same_v<std::decay_t<decltype(form)>, Code64>);
          }
          return false;
        },
        *code);
    if (is_right) return {};
    return fmt::format("{} is a {}: a handler takes present {}code", selector, to_string(*code),
                       ia32e ? "64-bit " : "");
  }

  [[nodiscard]] std::uint64_t tss_field(std::uint64_t offset, std::size_t size) const {
    const std::vector<std::uint8_t> bytes = read(registers.tr.base + offset, size);
    std::uint64_t value = 0;
    if (bytes.size() == size) std::memcpy(&value, bytes.data(), size);
    return value;
  }

  // What keeps the processor from taking SS0:ESP0 out of a TSS (SDM vol. 3, 8.2.1 and figure 8-2).
  [[nodiscard]] std::string inner_stack_of_tss32() const {
    const std::uint64_t selector = tss_field(8, 2);
    if ((selector & 0xFFFC) == 0) {
      return fmt::format("the TSS at {} has a null selector for SS0: there is no stack for CPL 0",
                         to_string(registers.tr.base));
    }
    const auto descriptor = tables.descriptor(static_cast<std::uint16_t>(selector));
    const auto* const data32 = descriptor ? std::get_if<Data32>(&*descriptor) : nullptr;
    const auto* const data16 = descriptor ? std::get_if<Data16>(&*descriptor) : nullptr;
    const bool is_right = (data32 != nullptr && data32->writable && data32->present) ||
                          (data16 != nullptr && data16->writable && data16->present);
    if (is_right) return {};
    return fmt::format("SS0 in the TSS at {} is selector {:#x}, {}: it takes writable data",
                       to_string(registers.tr.base), selector,
                       descriptor ? to_string(*descriptor) : "which the GDT has not");
  }

  // Where the stack begins that the handler gets: that of an IST entry, of the TSS for an inner
  // level, or the current one (SDM vol. 3, 6.14.2 to 6.14.5).
  [[nodiscard]] Gva stack_top(const Handler& handler) const {
    if (ia32e && handler.ist != 0) return Gva{tss_field(36 + 8 * (handler.ist - 1), 8) & ~0xFULL};
    if (registers.cpl() != 0) return Gva{ia32e ? tss_field(4, 8) & ~0xFULL : tss_field(4, 4)};
    return ia32e ? Gva{registers.rsp & ~0xFULL} : stack_address(registers);
  }

  // The stack that the frame is pushed on; of a handler for CPL 0, as nearly all are.
  [[nodiscard]] std::string stack(const Handler& handler) const {
    if (registers.cpl() != 0 && !ia32e) {
      if (std::string wrong = inner_stack_of_tss32(); !wrong.empty()) return wrong;
    }
    const std::uint64_t pushed = ia32e ? 8 : 4;
    const std::uint64_t mask = ia32e ? ~0ULL : 0xFFFF'FFFFULL;
    const Gva top{(stack_top(handler).value() - pushed) & mask};
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
    const Gva at{handler.offset};
    if (!is_valid_linear_address(paging_mode(registers), at)) {
      return fmt::format("the handler's address in {}, {}, is not canonical", name(),
                         to_string(at));
    }
    const PageWalk found = walk(at);
    if (found.translated() && !read(at, 1).empty()) return {};
    return fmt::format("the handler at {} is not mapped, or where there is no memory",
                       to_string(at));
  }

  [[nodiscard]] std::string obstacle() const {
    const std::optional<Descriptor> gate = tables.gate(vector);
    if (!gate) return missing_gate();
    Handler handler;
    std::string wrong = std::visit(
        [&](const auto& form) -> std::string {
          if constexpr (requires { form.ist; }) {
            handler = {.selector = form.selector, .offset = form.offset, .ist = form.ist};
            return form.present ? "" : name() + " is not present";
          } else if constexpr (std::is_same_v<std::decay_t<decltype(form)>, TaskGate>) {
            return form.present ? "" : name() + " is not present";
          } else {
            return fmt::format("{} is none: {}", name(), to_string(Descriptor{form}));
          }
        },
        *gate);
    if (!wrong.empty() || std::holds_alternative<TaskGate>(*gate)) return wrong;
    for (std::string each : {code_segment(handler), stack(handler), handler_code(handler)}) {
      if (!each.empty()) return each;
    }
    return {};
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

}  // namespace hltest
