#include "machine/halt_meaning.h"
#include <hltest/memory_layout.h>
#include "machine/exception_frame.h"

#include <utility>

namespace hltest {
namespace {

constexpr std::uint64_t kVectors = 256;

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

}  // namespace

HaltMeaning interpret_halt(const Registers& at_exit, const Registers& start, Gva handlers,
                           const LinearReader& read) {
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

  const auto vector = static_cast<Vector>(hlt - handlers);
  const FrameReader reader{at_exit, start, read};
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
  if (vector == Vector::kInvalidOpcode && !reader.ends_software_interrupt(*frame, vector)) {
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
  // INT n pushes no error code, whatever its vector.
  const unsigned software_length =
      frame->error_code.has_value() ? 0 : reader.length_of_software_interrupt(*frame, vector);
  const bool software = software_length != 0;
  Exception exception{.vector = vector,
                      .software = software,
                      .software_length = software_length,
                      .error_code = frame->error_code,
                      .cs = frame->cs,
                      .rip = frame->rip};
  if (vector == Vector::kPageFault && !software && before.cr0.pe()) exception.address = before.cr2;
  return {exception, before};
}

}  // namespace hltest
