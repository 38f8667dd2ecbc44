#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

#include "vm/delivered_interrupt.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {

/// What the processor pushed for an exception (SDM vol. 3, figures 6-4 and 6-9; vol. 1, 6.5.1 for
/// real mode).
struct Frame {
  std::optional<std::uint32_t> error_code = std::nullopt;
  std::uint64_t rip = 0;
  std::uint16_t cs = 0;
  std::uint64_t rflags = 0;
  std::uint64_t rsp = 0;  ///< the guest's, before the delivery
  std::uint16_t ss = 0;
  /// From virtual-8086 mode: ES, DS, FS and GS, which the processor cleared (SDM vol. 3, 20.3.1).
  std::vector<std::uint32_t> data_segments{};

  [[nodiscard]] bool is_virtual_8086() const { return Rflags{rflags}.vm(); }
  [[nodiscard]] bool is_user() const { return is_virtual_8086() || (cs & 3U) != 0; }
};

/// Reads what the framework's handlers find on their stack. It must not outlive its arguments.
class FrameReader {
 public:
  /// `interrupt` is the last one that was delivered to the guest.
  FrameReader(const Registers& at_exit, const Registers& start, const LinearReader& read,
              const std::optional<DeliveredInterrupt>& interrupt)
      : at_exit_(at_exit), start_(start), read_(read), interrupt_(interrupt) {}

  /// Nothing when the stack can't be read.
  [[nodiscard]] std::optional<Frame> frame(Vector vector) const;

  /// The length of the INT for this vector, when it was that which pushed the frame, not an
  /// exception; otherwise 0.
  [[nodiscard]] unsigned length_of_software_interrupt(const Frame& frame, Vector vector) const;
  /// The length of the HLT at CS:RIP, with its prefixes; 0 when there is another instruction.
  [[nodiscard]] std::size_t length_of_hlt(const Frame& frame) const;
  /// The instruction at CS:RIP, if it is one that exists in every mode. A #UD at it means that this
  /// KVM does not emulate it.
  [[nodiscard]] std::optional<Instruction> instruction_that_kvm_lacks(const Frame& frame) const;
  /// A software KVM that runs 64-bit code at CPL 3 natively continues where LSTAR points without
  /// leaving CPL 3, which may not fetch there.
  [[nodiscard]] bool is_syscall_that_kept_cpl_3(const Frame& frame, Gva handlers) const;

  /// The registers as they were before the delivery. A selector that is the start's own is taken
  /// for the start's segment, unless the guest has another GDT with another entry for it.
  [[nodiscard]] Registers before(const Frame& frame) const;

 private:
  template <typename T>
  [[nodiscard]] std::optional<std::vector<T>> pop(std::size_t count) const;
  template <typename ReadFrame>
  [[nodiscard]] std::optional<Frame> with_or_without_error_code(Vector vector,
                                                                const ReadFrame& read_frame) const;
  [[nodiscard]] std::optional<Frame> real_mode_frame() const;
  [[nodiscard]] std::optional<Frame> long_mode_frame(Vector vector) const;
  [[nodiscard]] std::optional<Frame> long_mode_frame(bool has_error_code) const;
  [[nodiscard]] std::optional<Frame> protected_mode_frame(bool has_error_code) const;
  [[nodiscard]] Gva next_instruction(const Frame& frame) const;
  [[nodiscard]] CpuMode mode_of(const Frame& frame) const { return cpu_mode(before(frame)); }
  [[nodiscard]] Segment code_segment(const Frame& frame) const;
  [[nodiscard]] Segment segment(std::uint16_t selector, const Segment& likely) const;
  [[nodiscard]] std::uint64_t stack_mask() const;

  const Registers& at_exit_;
  const Registers& start_;
  const LinearReader& read_;
  const std::optional<DeliveredInterrupt>& interrupt_;
};

}  // namespace hltest::internal
