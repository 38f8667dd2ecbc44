#include "machine/report.h"
#include "machine/report_text.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace hltest {
namespace {

constexpr std::size_t kInstructionsBefore = 4;
constexpr std::size_t kInstructionsAfter = 3;
constexpr std::size_t kMostLines = 50;

using Output = std::back_insert_iterator<std::string>;

std::string place(const Outcome& outcome) {
  const Registers& registers = outcome.registers;
  const Gva address = outcome.stop_address();
  const std::uint64_t offset = registers.rip - (registers.code_address() - address);
  return fmt::format("at {} (CS:RIP {:04x}:{:x}, {})", to_string(address), registers.cs.selector,
                     offset, outcome.end_mode);
}

void add_source(Output out, const Outcome& outcome) {
  if (const std::optional<SourcePlace> place = outcome.source()) {
    fmt::format_to(out, "{}\n", cut(fmt::format("{}:  {}", to_string(*place), place->line.text)));
  }
}

void add_cause(Output out, const Outcome& outcome) {
  std::string cause;
  if (const Exception* const fault = outcome.fault()) cause = fault->cause;
  if (const auto* const timeout = std::get_if<Timeout>(&outcome.stop)) {
    cause = timeout->loop.waits_for;
  }
  if (!cause.empty()) fmt::format_to(out, "{}\n", wrap("cause: " + cause));
  if (!outcome.remark.empty()) fmt::format_to(out, "{}\n", wrap(outcome.remark));
  const auto* const triple = std::get_if<TripleFault>(&outcome.stop);
  if (triple == nullptr || triple->undelivered.empty()) return;
  fmt::format_to(
      out, "{}\n",
      wrap((triple->first_fault ? "not delivered: " : "no exception could be delivered: ") +
           triple->undelivered));
}

// A missing HLT shows far from where it is missing.
void add_way_out_of_the_image(Output out, const Outcome& outcome) {
  if (!outcome.stopped_outside_image) return;
  const bool is_known = outcome.history && outcome.history->left_image_at;
  fmt::format_to(out, "outside the image, which is at {}-{}{}\n", to_string(outcome.image_start),
                 to_string(outcome.image_start + (outcome.image_size - 1)),
                 is_known ? "" : ": does it end in HLT?");
}

// Without what comes before a change of `bits`, which was code of another mode.
CodeWindow code_of_one_mode(const Outcome& outcome) {
  CodeWindow code = outcome.code;
  const Gva stop = outcome.stop_address();
  if (!outcome.image.has_value() || !outcome.stop_offset.has_value()) return code;
  const std::uint64_t before = stop - code.start;
  const auto start = outcome.image->source_map().code_start(*outcome.stop_offset, before);
  if (!start.has_value()) return code;
  const std::uint64_t dropped = before - (*outcome.stop_offset - *start);
  if (dropped > code.bytes.size()) return code;
  code.start = code.start + dropped;
  code.bytes.erase(code.bytes.begin(), code.bytes.begin() + static_cast<std::ptrdiff_t>(dropped));
  code.starts_at_instruction = true;
  return code;
}

// Where there is a history, it tells what came before.
void add_instructions(Output out, const Outcome& outcome) {
  const bool has_history = outcome.history && !outcome.history->steps.empty();
  const Gva stop = outcome.stop_address();
  const CodeWindow code = code_of_one_mode(outcome);
  const auto instructions = disassemble_around(
      code.bytes, code.start, code.starts_at_instruction, stop, cpu_mode(outcome.registers),
      has_history ? 0 : kInstructionsBefore, kInstructionsAfter);
  if (instructions.empty()) {
    fmt::format_to(out, "  (the code at {} can't be read)\n", to_string(stop));
  }
  for (const Instruction& instruction : instructions) {
    constexpr std::size_t kMostBytes = 8;
    const bool is_long = instruction.bytes.size() > kMostBytes;
    const auto shown =
        std::span{instruction.bytes}.first(std::min(kMostBytes, instruction.bytes.size()));
    fmt::format_to(
        out, "{}\n",
        cut(fmt::format("{} {:>10}  {:<26}{}", instruction.address == stop ? '>' : ' ',
                        to_string(instruction.address),
                        fmt::format("{:02x}{}", fmt::join(shown, " "), is_long ? ".." : ""),
                        instruction.text)));
  }
}

void add_general_registers(Output out, const Registers& r, bool wide) {
  if (!wide) {
    fmt::format_to(out, "eax {:08x}  ebx {:08x}  ecx {:08x}  edx {:08x}\n", r.eax(), r.ebx(),
                   r.ecx(), r.edx());
    fmt::format_to(out, "esi {:08x}  edi {:08x}  esp {:08x}  ebp {:08x}\n", r.esi(), r.edi(),
                   r.esp(), r.ebp());
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
    fmt::format_to(out, "{} {:016x}{}", registers.at(i).first, registers.at(i).second,
                   i % kPerRow == kPerRow - 1 || i == registers.size() - 1 ? "\n" : "  ");
  }
}

void add_system_registers(Output out, const Registers& r) {
  const auto add_line = [out](const std::string& line) { fmt::format_to(out, "{}\n", wrap(line)); };
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

std::string report(const Outcome& outcome) {
  std::string head;
  const Output out = std::back_inserter(head);
  fmt::format_to(out, "{}\n",
                 wrap(fmt::format("{} {}{}", outcome.guest,
                                  outcome.halted() ? "" : "ended: ", describe(outcome.stop))));
  std::string state;
  if (!outcome.registers_are_lost()) {
    fmt::format_to(out, "{}\n", cut(place(outcome)));
    add_source(out, outcome);
    add_cause(out, outcome);
    add_way_out_of_the_image(out, outcome);
    const Output below = std::back_inserter(state);
    add_instructions(below, outcome);
    state += loop_text(outcome);
    fmt::format_to(below, "\n");
    add_general_registers(below, outcome.registers, outcome.registers.efer.lma());
    add_system_registers(below, outcome.registers);
  }
  head += findings_text(outcome);
  state += accesses_text(outcome);
  const auto lines = static_cast<std::size_t>(std::ranges::count(head + state, '\n'));
  return head + history_text(outcome, kMostLines - std::min(lines, kMostLines)) + state;
}

}  // namespace hltest
