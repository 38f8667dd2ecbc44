// The registers of a report.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "diagnosis/text.h"

namespace hltest::internal {
namespace {

void add_general_registers(Lines& lines, const Registers& r, bool wide) {
  if (!wide) {
    lines.push_back({.text = fmt::format("eax {:08x}  ebx {:08x}  ecx {:08x}  edx {:08x}", r.eax(),
                                         r.ebx(), r.ecx(), r.edx())});
    lines.push_back({.text = fmt::format("esi {:08x}  edi {:08x}  esp {:08x}  ebp {:08x}", r.esi(),
                                         r.edi(), r.esp(), r.ebp())});
    return;
  }
  const std::array<std::pair<const char*, std::uint64_t>, 16> registers = {{{"rax", r.rax},
                                                                            {"rbx", r.rbx},
                                                                            {"rcx", r.rcx},
                                                                            {"rdx", r.rdx},
                                                                            {"rsi", r.rsi},
                                                                            {"rdi", r.rdi},
                                                                            {"rsp", r.rsp},
                                                                            {"rbp", r.rbp},
                                                                            {"r8 ", r.r8},
                                                                            {"r9 ", r.r9},
                                                                            {"r10", r.r10},
                                                                            {"r11", r.r11},
                                                                            {"r12", r.r12},
                                                                            {"r13", r.r13},
                                                                            {"r14", r.r14},
                                                                            {"r15", r.r15}}};
  constexpr std::size_t kPerRow = 3;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const std::string text =
        fmt::format("{} {:016x}", registers.at(i).first, registers.at(i).second);
    if (i % kPerRow == 0) {
      lines.push_back({.text = text});
    } else {
      lines.back().text += "  " + text;
    }
  }
}

void add_system_registers(Lines& lines, const Registers& r) {
  const auto add_line = [&lines](const std::string& line) { add_wrapped(lines, line); };
  const auto segment = [](const char* name, const Segment& register_) {
    return fmt::format("{} {:04x} base {:x}", name, register_.selector, register_.base.value());
  };
  add_line(fmt::format("rip {:x}  rflags {:x} [{}]  cpl {}", r.rip, r.rflags.value,
                       to_string(r.rflags), r.cr0.pe() ? r.cpl() : 0));
  add_line(
      fmt::format("{}   {}   {}", segment("cs", r.cs), segment("ss", r.ss), segment("ds", r.ds)));
  add_line(
      fmt::format("{}   {}   {}", segment("es", r.es), segment("fs", r.fs), segment("gs", r.gs)));
  add_line(fmt::format("cr0 {:x}  cr2 {:x}  cr3 {:x}  cr4 {:x}  efer {:x}", r.cr0.value,
                       r.cr2.value(), r.cr3.value, r.cr4.value, r.efer.value));
  add_line(fmt::format("gdt base {:x} limit {:x}   idt base {:x} limit {:x}", r.gdt.base.value(),
                       r.gdt.limit, r.idt.base.value(), r.idt.limit));
}

}  // namespace

void add_registers(Lines& lines, const Registers& registers) {
  add_general_registers(lines, registers, registers.efer.lma());
  add_system_registers(lines, registers);
}

}  // namespace hltest::internal
