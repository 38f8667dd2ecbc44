#include <hltest/hostile_bios.h>

#include <ostream>

namespace hltest {
namespace {

constexpr std::uint64_t kGarbage = 0xDEAD'BEEF;
constexpr std::uint16_t kGarbageSegment = 0x5A5A;

// Most of what is free when a BIOS boots; the boot sector itself is loaded over it.
void poison(Machine& machine) {
  constexpr std::uint64_t kFirst = 0x600;
  constexpr std::uint64_t kLast = 0x9'0000;
  constexpr std::uint8_t kInt3 = 0xCC;
  machine.memory().fill(Gpa{kFirst}, kLast - kFirst, kInt3);
}

}  // namespace

void PrintTo(const BiosState& state, std::ostream* stream) { *stream << state.name; }

std::vector<BiosState> hostile_bios_states(Drive drive) {
  std::vector<BiosState> states = {
      {.name = "as usual"},
      {.name = "CS:IP = 07C0:0000",
       .prepare =
           [](Machine& machine) {
             machine.registers().cs->selector = 0x07C0;
             machine.registers().cs->base = Gva{0x7C00};
           }},
      {.name = "DS = 5A5Ah",
       .prepare =
           [](Machine& machine) { machine.registers().ds = Segment::real_mode(kGarbageSegment); }},
      {.name = "ES = 5A5Ah",
       .prepare =
           [](Machine& machine) { machine.registers().es = Segment::real_mode(kGarbageSegment); }},
      {.name = "SS:SP = 9000:FFFE",
       .registers = {.rsp = 0xFFFE},
       .prepare = [](Machine& machine) { machine.registers().ss = Segment::real_mode(0x9000); }},
      {.name = "general registers = DEADBEEFh",
       .registers = {.rax = kGarbage,
                     .rbx = kGarbage,
                     .rcx = kGarbage,
                     .rsi = kGarbage,
                     .rdi = kGarbage,
                     .rbp = kGarbage}},
      {.name = "DF set", .registers = {.rflags = Rflags::kFixed | Rflags::kIf | Rflags::kDf}},
      {.name = "IF clear", .registers = {.rflags = Rflags::kFixed}},
      {.name = "A20 closed", .prepare = [](Machine& machine) { machine.set_a20(false); }},
      {.name = "memory full of CCh", .prepare = poison},
      {.name = "512 KiB of memory",
       .prepare = [](Machine& machine) { machine.bios().conventional_kib = 512; }},
      {.name = "no disk extensions",
       .prepare = [](Machine& machine) { machine.bios().has_disk_extensions = false; }},
      {.name = "no A20 service",
       .prepare = [](Machine& machine) { machine.bios().has_a20_service = false; }},
      {.name = "no memory map",
       .prepare = [](Machine& machine) { machine.bios().memory_map = std::vector<MemoryRange>{}; }},
      {.name = "the first read fails",
       .prepare = [](Machine& machine) { machine.bios().disk_failures = {{}}; }},
  };
  for (BiosState& state : states) state.drive = drive;
  states.push_back({.name = "the next drive", .drive = static_cast<Drive>(drive + 1)});
  return states;
}

}  // namespace hltest
