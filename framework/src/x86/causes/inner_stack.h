#pragma once

#include <cstdint>
#include <string>

#include <hltest/x86/linear_reader.h>
#include <hltest/x86/registers.h>

namespace hltest::internal {

/// The top of a stack: SS's base and the pointer into it.
struct StackTop {
  Gva base{};
  std::uint64_t pointer = 0;
  std::uint64_t mask = ~0ULL;  ///< of the pointer: SP, ESP or RSP

  /// Where `bytes` pushed bytes begin. The pointer wraps within its size, and outside 64-bit mode
  /// the address at 4 GiB.
  [[nodiscard]] Gva below(std::uint64_t bytes) const {
    const Gva linear = base + ((pointer - bytes) & mask);
    return mask == ~0ULL ? linear : Gva{linear.value() & 0xFFFF'FFFF};
  }
};

/// The stack that an event switches to, or what prevents it, in one sentence without a full stop.
struct SwitchedStack {
  StackTop top{};
  std::string obstacle{};
};

/// The stack of the registers.
StackTop current_stack(const Registers& registers);

/// The stack that the TSS has for `cpl` (0 to 2): what an interrupt or a call gate switches to
/// (SDM vol. 3, 5.8.5 and 6.12.1).
SwitchedStack stack_of_tss(const Registers& registers, const LinearReader& read, unsigned cpl);

/// The stack of an IST entry, 1 to 7 (SDM vol. 3, 6.14.5).
SwitchedStack stack_of_ist(const Registers& registers, const LinearReader& read, unsigned ist);

}  // namespace hltest::internal
