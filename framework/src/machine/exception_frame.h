#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <hltest/memory_layout.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>
#include "x86/code/disassembly.h"

namespace hltest {

/// What the processor pushed for an exception (SDM vol. 3, figures 6-4 and 6-9; vol. 1, 6.5.1 for
/// real mode).
struct Frame {
  std::optional<std::uint32_t> error_code = std::nullopt;
  std::uint64_t rip = 0;
  std::uint16_t cs = 0;
  std::uint64_t rflags = 0;
  std::uint64_t rsp = 0;  // the guest's, before the delivery
  std::uint16_t ss = 0;
  // From virtual-8086 mode: ES, DS, FS and GS, which the processor cleared (SDM vol. 3, 20.3.1).
  std::vector<std::uint32_t> data_segments{};

  [[nodiscard]] bool is_virtual_8086() const { return Rflags{rflags}.vm(); }
  [[nodiscard]] bool is_user() const { return is_virtual_8086() || (cs & 3U) != 0; }
};

inline Segment virtual_8086_segment(std::uint16_t selector) {
  Segment segment = Segment::real_mode(selector);
  segment.dpl = 3;
  return segment;
}

/// Reads what the framework's handlers find on their stack.
class FrameReader {
 public:
  FrameReader(const Registers& at_exit, const Registers& start, const LinearReader& read)
      : at_exit_(at_exit), start_(start), read_(read) {}

  // Nothing when the stack can't be read.
  [[nodiscard]] std::optional<Frame> frame(Vector vector) const {
    switch (cpu_mode(at_exit_)) {
      case CpuMode::kReal16:
        return real_mode_frame();
      case CpuMode::kLong64:
        return long_mode_frame(vector);
      default:
        return protected_mode_frame(vector);
    }
  }

  // The length of the INT for this vector, when it was that which pushed the frame, not an
  // exception; else 0. The bytes before CS:RIP only look like that INT if a fault pushed RF set
  // (SDM vol. 3, 17.3.1.1; real mode pushes no RF), or if the instruction at CS:RIP raises the
  // exception by itself.
  [[nodiscard]] unsigned length_of_software_interrupt(const Frame& frame, Vector vector) const {
    const Gva next = code_segment(frame).base + frame.rip;
    const std::vector<std::uint8_t> before = read_(next - 2, 2);
    if (before.size() != 2 || Rflags{frame.rflags}.rf()) return 0;
    if (raises_by_itself(read_(next, kLongestInstruction), mode_of(frame), vector)) return 0;
    if (before[0] == 0xCD && before[1] == static_cast<std::uint8_t>(vector)) return 2;  // INT n
    const bool is_short = (vector == Vector::kBreakpoint && before[1] == 0xCC) ||       // INT3
                          (vector == Vector::kOverflow && before[1] == 0xCE) ||         // INTO
                          (vector == Vector::kDebug && before[1] == 0xF1);              // INT1
    return is_short ? 1 : 0;
  }
  [[nodiscard]] bool ends_software_interrupt(const Frame& frame, Vector vector) const {
    return length_of_software_interrupt(frame, vector) != 0;
  }

  // The length of the HLT at CS:RIP, with its prefixes; 0 when there is another instruction.
  [[nodiscard]] std::size_t length_of_hlt(const Frame& frame) const {
    const Gva at = code_segment(frame).base + frame.rip;
    const auto code = read_(at, kLongestInstruction);
    if (code.empty()) return 0;
    const Instruction instruction = disassemble_one(code, at, mode_of(frame));
    return instruction.is(Mnemonic::kHlt) ? instruction.bytes.size() : 0;
  }

  // INT n and far transfers through memory are instructions in every mode: a #UD at one says that
  // this KVM has no emulation for what it has to do there.
  [[nodiscard]] std::optional<Instruction> instruction_that_kvm_lacks(const Frame& frame) const {
    const Gva at = code_segment(frame).base + frame.rip;
    const auto code = read_(at, kLongestInstruction);
    if (code.empty()) return std::nullopt;
    Instruction instruction = disassemble_one(code, at, mode_of(frame));
    const bool far_through_memory = instruction.is(Mnemonic::kCallFar, Mnemonic::kJmpFar) &&
                                    instruction.text.find('[') != std::string::npos;
    if (instruction.is(Mnemonic::kInt, Mnemonic::kInt3) || far_through_memory) return instruction;
    return std::nullopt;
  }

  // A software KVM that runs 64-bit code at CPL 3 natively goes on where LSTAR points without
  // leaving CPL 3, which may not fetch there.
  [[nodiscard]] bool is_syscall_that_kept_cpl_3(const Frame& frame, Gva handlers) const {
    const Gva handler = handlers + kSyscallOffset;
    if (Gva{frame.rip} != handler || at_exit_.cr2 != handler || !frame.is_user()) return false;
    return read_(Gva{at_exit_.rcx} - 2, 2) == std::vector<std::uint8_t>{0x0F, 0x05};
  }

  // The registers as they were before the delivery.
  [[nodiscard]] Registers before(const Frame& frame) const {
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
      registers.ss = segment(frame.ss, at_exit_.ss);
    }
    return registers;
  }

 private:
  [[nodiscard]] Segment code_segment(const Frame& frame) const {
    return frame.is_virtual_8086() ? virtual_8086_segment(frame.cs) : segment(frame.cs, start_.cs);
  }

  template <typename T>
  [[nodiscard]] std::optional<std::vector<T>> read_stack(std::size_t count, Gva at) const {
    const std::vector<std::uint8_t> bytes = read_(at, count * sizeof(T));
    if (bytes.size() != count * sizeof(T)) return std::nullopt;
    std::vector<T> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  [[nodiscard]] Gva stack() const { return stack_address(at_exit_); }

  [[nodiscard]] std::optional<Frame> real_mode_frame() const {
    // SP wraps at 64 KiB, word by word.
    std::array<std::uint16_t, 3> words{};
    for (unsigned i = 0; i < words.size(); ++i) {
      const auto offset = static_cast<std::uint16_t>(at_exit_.sp() + 2 * i);
      const auto word = read_stack<std::uint16_t>(1, at_exit_.ss.base + offset);
      if (!word) return std::nullopt;
      words.at(i) = word->at(0);
    }
    return Frame{.error_code = std::nullopt,
                 .rip = words[0],
                 .cs = words[1],
                 .rflags = (at_exit_.rflags.value & ~0xFFFFULL) | words[2],
                 .rsp = (at_exit_.rsp & ~0xFFFFULL) | static_cast<std::uint16_t>(at_exit_.sp() + 6),
                 .ss = at_exit_.ss.selector};
  }

  [[nodiscard]] std::optional<Frame> long_mode_frame(Vector vector) const {
    // The framework's gates use IST1, so how far RSP is below its top tells whether there is an
    // error code. A gate of the test's need not.
    constexpr std::uint64_t kFrame = 5 * sizeof(std::uint64_t);
    const std::uint64_t top = (kSystemRegion + kHandlerStackOffset).value() + 4 * kKiB;
    if (top - at_exit_.rsp == kFrame) return long_mode_frame(false);
    if (top - at_exit_.rsp == kFrame + sizeof(std::uint64_t)) return long_mode_frame(true);
    return with_or_without_error_code(
        vector, [this](bool has_error_code) { return long_mode_frame(has_error_code); });
  }

  [[nodiscard]] std::optional<Frame> long_mode_frame(bool has_error_code) const {
    const auto words = read_stack<std::uint64_t>(has_error_code ? 6 : 5, stack());
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

  [[nodiscard]] std::optional<Frame> protected_mode_frame(Vector vector) const {
    return with_or_without_error_code(
        vector, [this](bool has_error_code) { return protected_mode_frame(has_error_code); });
  }

  // An exception that has an error code pushes it; INT n with its vector pushes none.
  template <typename ReadFrame>
  [[nodiscard]] std::optional<Frame> with_or_without_error_code(Vector vector,
                                                                const ReadFrame& read_frame) const {
    std::optional<Frame> without = read_frame(false);
    if (!pushes_error_code(vector)) return without;
    if (without && ends_software_interrupt(*without, vector)) return without;
    return read_frame(true);
  }

  [[nodiscard]] std::optional<Frame> protected_mode_frame(bool has_error_code) const {
    const std::size_t first = has_error_code ? 1 : 0;
    const auto same_level = read_stack<std::uint32_t>(first + 3, stack());
    if (!same_level) return std::nullopt;
    Frame frame{.error_code = has_error_code ? std::optional{same_level->at(0)} : std::nullopt,
                .rip = same_level->at(first),
                .cs = static_cast<std::uint16_t>(same_level->at(first + 1)),
                .rflags = same_level->at(first + 2),
                .rsp = at_exit_.rsp + (first + 3) * sizeof(std::uint32_t),
                .ss = at_exit_.ss.selector};
    if (frame.is_user()) {  // it came from an outer level, whose stack was pushed too
      const std::size_t pushed = first + (frame.is_virtual_8086() ? 9 : 5);
      const auto outer = read_stack<std::uint32_t>(pushed, stack());
      if (!outer) return std::nullopt;
      frame.rsp = outer->at(first + 3);
      frame.ss = static_cast<std::uint16_t>(outer->at(first + 4));
      frame.data_segments.assign(outer->begin() + static_cast<std::ptrdiff_t>(first + 5),
                                 outer->end());
    }
    return frame;
  }

  [[nodiscard]] CpuMode mode_of(const Frame& frame) const { return cpu_mode(before(frame)); }

  // The frame holds selectors only: the rest is what the run began with, or the GDT says.
  [[nodiscard]] Segment segment(std::uint16_t selector, const Segment& likely) const {
    if (selector == likely.selector) return likely;
    if (!at_exit_.cr0.pe()) {
      Segment segment = Segment::real_mode(selector);
      segment.type = likely.type;
      return segment;
    }
    Segment loaded{.selector = selector, .dpl = static_cast<std::uint8_t>(selector & 3U)};
    const std::uint64_t offset = selector & ~7U;
    const bool in_gdt = (selector & 4U) == 0 && offset != 0 && offset + 7 <= at_exit_.gdt.limit;
    if (!in_gdt) return loaded;
    if (const auto entry = read_stack<std::uint64_t>(1, at_exit_.gdt.base + offset)) {
      loaded = segment_from_descriptor(entry->at(0), selector);
    }
    return loaded;
  }

  const Registers& at_exit_;
  const Registers& start_;
  const LinearReader& read_;
};

}  // namespace hltest
