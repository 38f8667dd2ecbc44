#include "vm/exception_frame.h"
#include "x86/registers/read_number.h"

#include <array>
#include <string_view>

#include <hltest/memory_layout.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest::internal {
namespace {

Segment virtual_8086_segment(std::uint16_t selector) {
  Segment segment = Segment::real_mode(selector);
  segment.dpl = 3;
  return segment;
}

}  // namespace

std::optional<Frame> FrameReader::frame(Vector vector) const {
  switch (cpu_mode(at_exit_)) {
    case CpuMode::kReal16:
      return real_mode_frame();
    case CpuMode::kLong64:
      return long_mode_frame(vector);
    default:
      return with_or_without_error_code(
          vector, [this](bool has_error_code) { return protected_mode_frame(has_error_code); });
  }
}

// The bytes before CS:RIP only look like that INT if a fault pushed RF set (SDM vol. 3, 17.3.1.1;
// real mode pushes no RF), or if the instruction at CS:RIP raises the exception by itself.
unsigned FrameReader::length_of_software_interrupt(const Frame& frame, Vector vector) const {
  const Gva next = next_instruction(frame);
  const std::vector<std::uint8_t> before = read_(next - 2, 2);
  if (before.size() != 2 || Rflags{frame.rflags}.rf()) return 0;
  if (raises_by_itself(read_(next, kLongestInstruction), mode_of(frame), vector)) return 0;
  if (before[0] == 0xCD && before[1] == static_cast<std::uint8_t>(vector)) return 2;  // INT n
  const bool is_short = (vector == Vector::kBreakpoint && before[1] == 0xCC) ||       // INT3
                        (vector == Vector::kOverflow && before[1] == 0xCE) ||         // INTO
                        (vector == Vector::kDebug && before[1] == 0xF1);              // INT1
  return is_short ? 1 : 0;
}

std::size_t FrameReader::length_of_hlt(const Frame& frame) const {
  const Gva at = next_instruction(frame);
  const auto code = read_(at, kLongestInstruction);
  if (code.empty()) return 0;
  const Instruction instruction = disassemble_one(code, at, mode_of(frame));
  return instruction.is(Mnemonic::kHlt) ? instruction.bytes.size() : 0;
}

std::optional<Instruction> FrameReader::instruction_that_kvm_lacks(const Frame& frame) const {
  const Gva at = next_instruction(frame);
  const auto code = read_(at, kLongestInstruction);
  if (code.empty()) return std::nullopt;
  Instruction instruction = disassemble_one(code, at, mode_of(frame));
  const bool far_through_memory = instruction.is(Mnemonic::kCallFar, Mnemonic::kJmpFar) &&
                                  instruction.text.find('[') != std::string::npos;
  if (instruction.is(Mnemonic::kInt, Mnemonic::kInt3) || far_through_memory) return instruction;
  return std::nullopt;
}

bool FrameReader::is_syscall_that_kept_cpl_3(const Frame& frame, Gva handlers) const {
  const Gva handler = handlers + kSyscallOffset;
  if (Gva{frame.rip} != handler || at_exit_.cr2 != handler || !frame.is_user()) return false;
  return read_(Gva{at_exit_.rcx} - 2, 2) == std::vector<std::uint8_t>{0x0F, 0x05};
}

Registers FrameReader::before(const Frame& frame) const {
  Registers registers = at_exit_;
  registers.rip = frame.rip;
  // A fault pushes RF set so that its instruction can be restarted; the guest did not have it.
  registers.rflags.value = frame.rflags & ~Rflags::kRf;
  registers.rsp = frame.rsp;
  registers.cs = code_segment(frame);
  if (frame.is_virtual_8086()) {
    registers.ss = virtual_8086_segment(frame.ss);
    Segment* const cleared[] = {&registers.es, &registers.ds, &registers.fs, &registers.gs};
    for (std::size_t i = 0; i < frame.data_segments.size(); ++i) {
      *cleared[i] = virtual_8086_segment(static_cast<std::uint16_t>(frame.data_segments[i]));
    }
  } else if (registers.cr0.pe()) {
    registers.ss = segment(frame.ss, frame.ss == at_exit_.ss.selector ? at_exit_.ss : start_.ss);
  }
  return registers;
}

Gva FrameReader::next_instruction(const Frame& frame) const {
  return code_segment(frame).base + frame.rip;
}

Segment FrameReader::code_segment(const Frame& frame) const {
  return frame.is_virtual_8086() ? virtual_8086_segment(frame.cs) : segment(frame.cs, start_.cs);
}

// The frame holds selectors only: the rest is what the run began with, or what the GDT or LDT says.
Segment FrameReader::segment(std::uint16_t selector, const Segment& likely) const {
  if (selector == likely.selector) return likely;
  if (!at_exit_.cr0.pe()) {
    Segment segment = Segment::real_mode(selector);
    segment.type = likely.type;
    return segment;
  }
  Segment loaded{.selector = selector, .dpl = static_cast<std::uint8_t>(selector & 3U)};
  const std::uint64_t offset = selector & ~7U;
  const bool in_ldt = is_in_ldt(selector);
  const Gva base = in_ldt ? at_exit_.ldt.base : at_exit_.gdt.base;
  const std::uint64_t limit = in_ldt ? at_exit_.ldt.limit : at_exit_.gdt.limit;
  if ((in_ldt ? at_exit_.ldt.unusable : offset == 0) || offset + 7 > limit) return loaded;
  const auto entry = read_number(read_, base + offset, 8);
  return entry ? segment_from_descriptor(*entry, selector) : loaded;
}

// SP of a 16-bit stack wraps at 64 KiB (SDM vol. 3, 6.12 by SS.B; vol. 1, 6.2.3).
std::uint64_t FrameReader::stack_mask() const {
  if (at_exit_.cs.l && at_exit_.efer.lma()) return ~0ULL;
  return at_exit_.ss.db ? 0xFFFF'FFFFULL : 0xFFFFULL;
}

// `count` values from the stack's top on.
template <typename T>
std::optional<std::vector<T>> FrameReader::pop(std::size_t count) const {
  const Gva base = stack_address(at_exit_) - (at_exit_.rsp & stack_mask());
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value =
        read_number(read_, base + ((at_exit_.rsp + i * sizeof(T)) & stack_mask()), sizeof(T));
    if (!value) return std::nullopt;
    values.push_back(static_cast<T>(*value));
  }
  return values;
}

std::optional<Frame> FrameReader::real_mode_frame() const {
  const auto words = pop<std::uint16_t>(3);
  if (!words) return std::nullopt;
  return Frame{.error_code = std::nullopt,
               .rip = words->at(0),
               .cs = words->at(1),
               .rflags = (at_exit_.rflags.value & ~0xFFFFULL) | words->at(2),
               .rsp = (at_exit_.rsp & ~0xFFFFULL) | static_cast<std::uint16_t>(at_exit_.sp() + 6),
               .ss = at_exit_.ss.selector};
}

std::optional<Frame> FrameReader::long_mode_frame(Vector vector) const {
  // The framework's gates use IST1, so how far RSP is below its top tells whether there is an error
  // code. A gate of the test's need not.
  constexpr std::uint64_t kFrame = 5 * sizeof(std::uint64_t);
  const std::uint64_t top = kHandlerStackTop.value();
  if (top - at_exit_.rsp == kFrame) return long_mode_frame(false);
  if (top - at_exit_.rsp == kFrame + sizeof(std::uint64_t)) return long_mode_frame(true);
  return with_or_without_error_code(
      vector, [this](bool has_error_code) { return long_mode_frame(has_error_code); });
}

std::optional<Frame> FrameReader::long_mode_frame(bool has_error_code) const {
  const auto words = pop<std::uint64_t>(has_error_code ? 6 : 5);
  if (!words) return std::nullopt;
  const std::size_t first = has_error_code ? 1 : 0;
  return Frame{.error_code = has_error_code
                                 ? std::optional{static_cast<std::uint32_t>(words->at(0))}
                                 : std::nullopt,
               .rip = words->at(first),
               .cs = static_cast<std::uint16_t>(words->at(first + 1)),
               .rflags = words->at(first + 2),
               .rsp = words->at(first + 3),
               .ss = static_cast<std::uint16_t>(words->at(first + 4))};
}

// An exception that has an error code pushes it; INT n and an interrupt of a device's with its
// vector push none (SDM vol. 3, 6.13).
template <typename ReadFrame>
std::optional<Frame> FrameReader::with_or_without_error_code(Vector vector,
                                                             const ReadFrame& read_frame) const {
  std::optional<Frame> without = read_frame(false);
  if (!pushes_error_code(vector)) return without;
  const bool is_devices = without && interrupt_ && interrupt_->vector == vector &&
                          interrupt_->cs == without->cs && interrupt_->rip == without->rip;
  if (is_devices) return without;
  if (without && length_of_software_interrupt(*without, vector) != 0) return without;
  return read_frame(true);
}

std::optional<Frame> FrameReader::protected_mode_frame(bool has_error_code) const {
  const std::size_t first = has_error_code ? 1 : 0;
  const auto same_level = pop<std::uint32_t>(first + 3);
  if (!same_level) return std::nullopt;
  const std::uint64_t pushed = (first + 3) * sizeof(std::uint32_t);
  Frame frame{.error_code = has_error_code ? std::optional{same_level->at(0)} : std::nullopt,
              .rip = same_level->at(first),
              .cs = static_cast<std::uint16_t>(same_level->at(first + 1)),
              .rflags = same_level->at(first + 2),
              .rsp = (at_exit_.rsp & ~stack_mask()) | ((at_exit_.rsp + pushed) & stack_mask()),
              .ss = at_exit_.ss.selector};
  if (frame.is_user()) {  // it came from an outer level, whose stack was pushed too
    const auto outer = pop<std::uint32_t>(first + (frame.is_virtual_8086() ? 9 : 5));
    if (!outer) return std::nullopt;
    frame.rsp = outer->at(first + 3);
    frame.ss = static_cast<std::uint16_t>(outer->at(first + 4));
    frame.data_segments.assign(outer->begin() + static_cast<std::ptrdiff_t>(first + 5),
                               outer->end());
  }
  return frame;
}

}  // namespace hltest::internal
