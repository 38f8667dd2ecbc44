#include "vm/stepping.h"

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

#include <hltest/memory_layout.h>

#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

constexpr std::uint8_t kHlt = 0xF4;
constexpr std::uint8_t kSti = 0xFB;

// The framework's handlers, each a HLT.
bool is_handler(const Guest& guest, Gva at) {
  return at >= guest.handlers() && at - guest.handlers() <= kSysenterOffset;
}

}  // namespace

Step look(const Guest& guest) {
  Step step{.before = guest.registers()};
  const GuestTables tables = guest.tables(step.before);
  const Gva at = step.before.code_address();
  step.gpa = tables.translate(at);
  step.code = tables.read(at, kLongestInstruction);
  return step;
}

bool pass_hlt(const Step& step, Guest& guest) {
  constexpr std::size_t kMostPrefixes = 4;
  const auto begin = std::span{step.code}.first(std::min(kMostPrefixes, step.code.size()));
  if (step.before.cpl() != 0 || std::ranges::count(begin, kHlt) == 0) return false;
  const Instruction instruction =
      disassemble_one(step.code, step.before.code_address(), cpu_mode(step.before));
  if (!instruction.is(Mnemonic::kHlt)) return false;
  Registers after = step.before;
  after.rip += instruction.bytes.size();
  guest.set_registers(after);
  // An STI just before holds interrupts off until now.
  PendingEvents events = guest.vcpu().pending_events();
  events.interrupt.shadow = 0;
  guest.vcpu().set_pending_events(events);
  static_cast<void>(guest.vcpu().complete_instruction());
  return true;
}

bool jumps_to_itself(const Guest& guest) {
  const Registers& registers = guest.registers();
  return guest.tables(registers).read(registers.code_address(), 2) ==
         std::vector<std::uint8_t>{0xEB, 0xFE};
}

bool is_at_a_handler(const Guest& guest) {
  return is_handler(guest, guest.registers().code_address());
}

BreakpointPatches::BreakpointPatches(Guest& guest, const std::vector<Gva>& breakpoints)
    : guest_(guest) {
  if (breakpoints.empty()) return;
  const Registers now = guest.registers();
  const GuestTables tables = guest.tables(now);
  for (const Gva gva : breakpoints) {
    const std::optional<Gpa> gpa = tables.translate(gva);
    if (gva == now.code_address() || !gpa || guest.memory().kind(*gpa) != RegionKind::kRam) {
      continue;
    }
    const bool is_patched = std::ranges::find(patches_, *gpa, &Patch::gpa) != patches_.end();
    if (is_patched) continue;
    patches_.push_back({.gva = gva, .gpa = *gpa, .original = guest.memory().read(*gpa, 1)[0]});
    guest.memory().write(*gpa, std::span{&kHlt, 1});
  }
}

BreakpointPatches::~BreakpointPatches() {
  for (const Patch& patch : patches_) {
    guest_.memory().write(patch.gpa, std::span{&patch.original, 1});
  }
}

bool BreakpointPatches::bring_back() {
  if (patches_.empty()) return false;
  Registers now = guest_.registers();
  const bool is_at_patch = std::ranges::any_of(
      patches_, [&](const Patch& patch) { return patch.gva == now.code_address() - 1; });
  if (!is_at_patch) return false;
  now.rip -= 1;
  guest_.set_registers(now);
  return true;
}

std::optional<Gva> handler_of(Vector vector, const GuestTables& tables) {
  const std::optional<Descriptor> gate = tables.gate(vector);
  if (!gate) return std::nullopt;
  return std::visit(
      [&](const auto& form) -> std::optional<Gva> {
        if constexpr (requires { form.ist; }) {
          return Gva{form.offset};
        } else if constexpr (std::is_same_v<std::decay_t<decltype(form)>, IvtEntry>) {
          return Gva{std::uint64_t{form.cs} * 16 + form.ip};
        }
        return std::nullopt;
      },
      *gate);
}

std::optional<Gva> handler_entered_by(const Step& step, const Guest& guest) {
  // There are KVMs that step STI and the next instruction as one.
  const std::size_t at = !step.code.empty() && step.code[0] == kSti ? 1 : 0;
  if (step.before.cr0.pe() || step.code.size() < at + 2) return std::nullopt;
  constexpr std::uint8_t kInt = 0xCD;
  constexpr std::uint8_t kInt3 = 0xCC;
  const std::uint8_t opcode = step.code[at];
  if (opcode != kInt && opcode != kInt3) return std::nullopt;
  const Vector vector =
      opcode == kInt3 ? Vector::kBreakpoint : static_cast<Vector>(step.code[at + 1]);
  const GuestTables tables = guest.tables(step.before);
  const std::optional<Gva> handler = handler_of(vector, tables);
  const std::optional<Gpa> gpa = handler ? tables.translate(*handler) : std::nullopt;
  const bool is_guests = gpa && guest.memory().kind(*gpa) == RegionKind::kRam;
  return is_guests ? handler : std::nullopt;
}

bool has_come_to_a_handler(const Step& step, Guest& guest) {
  Registers now = guest.registers();
  const Gva next = now.code_address();
  if (!is_handler(guest, next) && !is_handler(guest, next - 1)) return false;
  const auto instruction = decode_instruction(step.code, step.before);
  const auto vector = instruction ? software_vector(*instruction) : std::nullopt;
  if (vector && next == guest.handlers() + static_cast<std::uint64_t>(*vector)) {
    now.rip += 1;
    guest.set_registers(now);
    return true;
  }
  // A far transfer to a handler has not executed its HLT: the next step comes to that.
  using enum Mnemonic;
  if (is_handler(guest, next) && instruction &&
      instruction->is(kCallFar, kJmpFar, kRetFar, kIret, kIretd, kIretq)) {
    return false;
  }
  const Gva came_from = step.before.code_address();
  // An instruction can end after the first of them without having come from a fault.
  const bool came_by_itself =
      next - came_from <= kLongestInstruction && !is_handler(guest, came_from);
  return is_handler(guest, next - 1) && !came_by_itself;
}

}  // namespace hltest::internal
