#include "diagnosis/fault_capture.h"

#include <utility>

#include <hltest/memory_layout.h>

#include "diagnosis/fault_trap.h"
#include "machine/cause.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

// The guest's own registers: those of the trap are gone with it.
Registers without_trap(Registers registers, const Registers& trap, const Registers& before) {
  registers.gdt = before.gdt;
  registers.idt = before.idt;
  registers.tr = before.tr;
  registers.cr3 = before.cr3;
  if (trap.ss.selector != before.ss.selector || trap.rsp != before.rsp) {
    registers.ss = before.ss;
    registers.rsp = before.rsp;
  }
  return registers;
}

// Where the guest's GDT is not mapped, the processor faults on reading it; zeros in its place make
// that a #GP.
void correct_for_missing_gdt(Exception& exception, const GuestTables& tables) {
  constexpr std::uint32_t kTableBits = 7;  // EXT, IDT and TI
  if (exception.vector != Vector::kGeneralProtection || !exception.error_code) return;
  const std::uint32_t selector = *exception.error_code;
  if (selector == 0 || (selector & kTableBits) != 0 || selector > tables.registers().gdt.limit) {
    return;
  }
  const Gva entry = tables.registers().gdt.base + (selector & ~kTableBits);
  const PageWalk walk = tables.walk(entry);
  if (walk.translated()) return;
  exception = {.vector = Vector::kPageFault,
               .error_code = 0,
               .address = entry,
               .cs = exception.cs,
               .rip = exception.rip};
}

// Where an instruction of the stack's can't reach it, in 16- and 32-bit code: then the exception's
// frame can't be pushed either.
std::optional<Exception> stack_fault(const Registers& before, const GuestTables& tables,
                                     const DecodedInstruction& instruction) {
  for (const Operand& operand : instruction.operands) {
    if (operand.kind != Operand::Kind::kMemory || operand.name != "ss") continue;
    Exception exception{.vector = Vector::kStackFault,
                        .error_code = 0,
                        .cs = before.cs.selector,
                        .rip = before.rip};
    const bool expands_down = (before.ss.type & 0x4) != 0;
    if (!expands_down && operand.value + operand.size - 1 > before.ss.limit) return exception;
    if (tables.walk(operand.linear).translated()) continue;
    constexpr std::uint32_t kWrite = 2;
    exception.vector = Vector::kPageFault;
    exception.error_code = operand.is_written ? kWrite : 0;
    exception.address = operand.linear;
    return exception;
  }
  return std::nullopt;
}

// What an INT n raises whose gate can't be used (SDM vol. 2, INT n; vol. 3, 6.12.1.1).
std::optional<Exception> gate_fault(const Registers& before, const GuestTables& tables,
                                    const DecodedInstruction& instruction) {
  const std::optional<Vector> vector = software_vector(instruction);
  if (!vector) return std::nullopt;
  if (!before.cr0.pe()) {
    if (tables.gate(*vector)) return std::nullopt;
    return Exception{
        .vector = Vector::kGeneralProtection, .cs = before.cs.selector, .rip = before.rip};
  }
  constexpr std::uint32_t kIdt = 2;
  Exception exception{.vector = Vector::kGeneralProtection,
                      .error_code = static_cast<std::uint32_t>(*vector) * 8 + kIdt,
                      .cs = before.cs.selector,
                      .rip = before.rip};
  const std::optional<Descriptor> gate = tables.gate(*vector);
  if (!gate) return exception;
  return std::visit(
      [&](const auto& form) -> std::optional<Exception> {
        if constexpr (requires { form.ist; }) {
          if (form.dpl < before.cpl()) return exception;
          if (form.present) return std::nullopt;
          exception.vector = Vector::kSegmentNotPresent;
        }
        return exception;
      },
      *gate);
}

std::optional<CapturedFault> run_into_trap(Replay& replay, const GuestTables& tables,
                                           const std::optional<DecodedInstruction>& instruction) {
  Guest& guest = replay.guest;
  kvm::Mapping region = kvm::Mapping::anonymous(kReplayRegionSize);
  const auto trap = set_fault_trap(region.bytes(), guest.memory(), tables, instruction);
  if (!trap) return std::nullopt;
  guest.add_memory_slot(kReplayRegion, region.bytes());
  guest.set_registers(trap->registers);
  constexpr std::chrono::seconds kLongest{2};
  const Ending ending = run(guest, replay.player, {.wall = kLongest});
  if (!std::holds_alternative<kvm::HltExit>(ending)) return std::nullopt;

  const Registers at_exit = guest.registers();
  const Gva hlt = at_exit.code_address() - 1;
  if (hlt < trap->handlers || hlt - trap->handlers >= kVectors) return std::nullopt;
  // The frame may lie in the region, which the guest's memory knows nothing of.
  const LinearReader read = [&](Gva gva, std::size_t count) -> std::vector<std::uint8_t> {
    if (gva < trap->region || gva - trap->region + count > kReplayRegionSize) {
      return tables.read(gva, count);
    }
    const auto bytes = region.bytes().subspan(gva - trap->region, count);
    return {bytes.begin(), bytes.end()};
  };
  HaltMeaning meaning = interpret_halt(at_exit, tables.registers(), trap->handlers, read);
  return CapturedFault{
      .reason = std::move(meaning.reason),
      .registers = without_trap(meaning.registers, trap->registers, tables.registers())};
}

// An interrupt of a device's that comes of a HLT, and that the guest's tables can't deliver. There
// are KVMs that step an STI and the instruction after it as one.
std::optional<CapturedFault> undeliverable_interrupt(const Replay& replay, Registers before,
                                                     const std::vector<std::uint8_t>& code,
                                                     const GuestTables& tables) {
  constexpr std::uint8_t kSti = 0xFB;
  constexpr std::uint8_t kHlt = 0xF4;
  const bool is_sti = code.size() > 1 && code[0] == kSti && code[1] == kHlt;
  const bool is_hlt = !code.empty() && code[0] == kHlt && before.rflags.if_();
  const std::optional<Vector> vector = replay.player.interrupt_at_halt();
  if ((!is_sti && !is_hlt) || !vector || obstacle_to(*vector, tables).empty()) return std::nullopt;
  if (is_sti) {
    before.rip += 1;
    before.rflags.set(Rflags::kIf, true);
  }
  return CapturedFault{
      .reason = Exception{.vector = *vector, .cs = before.cs.selector, .rip = before.rip},
      .registers = before,
      .cause = "a device or the test requested it",
      .is_interrupt = true};
}

}  // namespace

std::optional<CapturedFault> capture_fault(Replay& replay) {
  const Registers before = replay.guest.registers();
  const GuestTables tables = replay.guest.tables(before);
  const auto code = tables.read(before.code_address(), kLongestInstruction);
  const auto instruction = decode_instruction(code, before);
  std::optional<CapturedFault> fault = undeliverable_interrupt(replay, before, code, tables);
  if (fault) return fault;
  if (instruction) {
    if (auto exception = gate_fault(before, tables, *instruction)) {
      fault = CapturedFault{.reason = *exception, .registers = before};
    }
  }
  if (!fault) fault = run_into_trap(replay, tables, instruction);
  if (!fault && instruction) {
    if (auto exception = stack_fault(before, tables, *instruction)) {
      fault = CapturedFault{.reason = *exception, .registers = before};
    }
  }
  if (!fault) return std::nullopt;
  auto* const exception = std::get_if<Exception>(&fault->reason);
  if (exception == nullptr) {
    return std::holds_alternative<HostLimit>(fault->reason) ? fault : std::nullopt;
  }
  correct_for_missing_gdt(*exception, tables);
  if (exception->address) fault->registers.cr2 = *exception->address;
  fault->cause = exception->software ? "the instruction itself asks for it"
                                     : cause_of(exception->vector, exception->error_code,
                                                exception->address.value_or(Gva{0}),
                                                replay.guest.tables(fault->registers));
  return fault;
}

}  // namespace hltest::internal
