#include "vm/halt_meaning.h"

#include <algorithm>
#include <utility>

#include <hltest/memory_layout.h>

#include "vm/exception_frame.h"

namespace hltest::internal {
namespace {

constexpr std::uint64_t kVectors = 256;
constexpr std::uint8_t kHlt = 0xF4;

// SYSCALL leaves RIP in RCX and, in IA-32e mode, RFLAGS in R11 (SDM vol. 2, SYSCALL); nothing tells
// which user segments it came from, so they are those of the start.
HaltMeaning interpret_syscall(const Registers& at_exit, const Registers& start) {
  Registers before = at_exit;
  before.rip = at_exit.rcx;
  if (at_exit.efer.lma()) before.rflags.value = at_exit.r11;
  before.cs = start.cs;
  before.ss = start.ss;
  return {SystemCall{SystemCall::Instruction::kSyscall}, before};
}

// INT3, INTO and INT1 are exceptions (SDM vol. 3, table 6-1: #BP, #OF, #DB); INT n is not.
bool is_int_n(unsigned length) { return length > 1; }

HaltMeaning interpret_exception(const Registers& at_exit, const Registers& start, Gva handlers,
                                const LinearReader& read, Vector vector,
                                const std::optional<DeliveredInterrupt>& interrupt) {
  const FrameReader reader{at_exit, start, read, interrupt};
  const std::optional<Frame> frame = reader.frame(vector);
  if (!frame) return {Exception{.vector = vector}, at_exit};

  Registers before = reader.before(*frame);
  if (vector == Vector::kGeneralProtection && before.cr0.pe() && frame->is_user() &&
      frame->error_code == 0U) {
    if (const std::size_t length = reader.length_of_hlt(*frame); length != 0) {
      before.rip += length;
      return {Halt{}, before};
    }
  }
  const unsigned length = frame->error_code.has_value()
                              ? 0  // INT n pushes no error code, whatever its vector
                              : reader.length_of_software_interrupt(*frame, vector);
  if (vector == Vector::kInvalidOpcode && length == 0) {
    if (auto instruction = reader.instruction_that_kvm_lacks(*frame)) {
      return {HostLimit{.instruction = std::move(instruction->text),
                        .bytes = std::move(instruction->bytes)},
              before};
    }
  }
  if (vector == Vector::kPageFault && reader.is_syscall_that_kept_cpl_3(*frame, handlers)) {
    const std::uint64_t rflags = before.rflags.value;
    HaltMeaning meaning = interpret_syscall(before, start);
    // R11 has the host's, and CR2 is the fault's.
    meaning.registers.r11 = meaning.registers.rflags.value = rflags;
    meaning.registers.cr2 = start.cr2;
    return meaning;
  }
  Exception exception{.vector = vector,
                      .software = is_int_n(length),
                      .instruction_length = length,
                      .error_code = frame->error_code,
                      .cs = frame->cs,
                      .rip = frame->rip};
  if (vector == Vector::kPageFault && frame->error_code) {
    exception.address = before.cr2;
  }
  return {exception, before};
}

}  // namespace

HaltMeaning interpret_halt(const Registers& at_exit, const Registers& start, Gva handlers,
                           const LinearReader& read,
                           const std::optional<DeliveredInterrupt>& interrupt) {
  const Gva hlt = at_exit.code_address() - 1;
  if (hlt < handlers) return {Halt{}, at_exit};
  const std::uint64_t handler = hlt - handlers;
  if (at_exit.cr0.pe() && (handler == kSyscallOffset || handler == kSyscall32Offset)) {
    return interpret_syscall(at_exit, start);
  }
  if (at_exit.cr0.pe() && handler == kSysenterOffset) {
    Registers at_handler = at_exit;
    at_handler.rip -= 1;
    return {SystemCall{SystemCall::Instruction::kSysenter}, at_handler};
  }
  if (handler >= kVectors) return {Halt{}, at_exit};
  return interpret_exception(at_exit, start, handlers, read, static_cast<Vector>(handler),
                             interrupt);
}

bool are_handlers_intact(const Backing& memory) {
  const std::uint64_t count = memory.layout().has_rom() ? kVectors : kSysenterOffset + 1;
  const std::vector<std::uint8_t> handlers =
      memory.read(memory.layout().system_base() + kHandlersOffset, count);
  return std::ranges::count(handlers, kHlt) == static_cast<std::ptrdiff_t>(count);
}

HaltMeaning interpret_halt(const Guest& guest) {
  const Registers& at_exit = guest.registers();
  const GuestTables tables = guest.tables(at_exit);
  const Gva hlt = at_exit.code_address() - 1;
  // A test may have mapped something else to the handlers' address.
  const bool is_where_it_seems = tables.translate(hlt) == Gpa{hlt.value()};
  const bool is_handler = hlt >= guest.handlers() && hlt - guest.handlers() <= kSysenterOffset;
  if (!is_where_it_seems || !is_handler || !are_handlers_intact(guest.memory())) {
    return {Halt{}, at_exit};
  }
  const LinearReader read = [&tables](Gva gva, std::size_t count) {
    return tables.read(gva, count);
  };
  HaltMeaning meaning = interpret_halt(at_exit, guest.start_registers(), guest.handlers(), read,
                                       guest.last_interrupt());
  // The handlers for real mode are no protected mode's: the guest has run into their ROM.
  const bool is_in_rom = guest.memory().layout().has_rom() && at_exit.cr0.pe();
  if (is_in_rom && std::holds_alternative<Exception>(meaning.reason)) {
    meaning.registers = at_exit;
    meaning.registers.rip -= 1;
    meaning.reason = UnbackedFetch{Gpa{meaning.registers.code_address().value()}};
  }
  return meaning;
}

}  // namespace hltest::internal
