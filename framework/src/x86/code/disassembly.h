#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/vector.h>
#include "x86/code/mnemonic.h"

namespace hltest::internal {

/// Bytes (SDM vol. 2, 2.3.11).
inline constexpr std::size_t kLongestInstruction = 15;

/// One instruction in Intel syntax. Bytes that are not an instruction are `db 0x…`, one at a time.
struct Instruction {
  Gva address{};
  std::vector<std::uint8_t> bytes{};
  std::string text{};
  bool is_valid = true;  ///< false for a byte that no instruction starts with
  Mnemonic mnemonic = Mnemonic::kOther;

  /// Whether it is one of these.
  [[nodiscard]] bool is(std::same_as<Mnemonic> auto... any) const {
    return ((mnemonic == any) || ...);
  }
};

/// The first instruction of `bytes`, as a processor in `mode` decodes it. `bytes` is not empty.
Instruction disassemble_one(std::span<const std::uint8_t> bytes, Gva address, CpuMode mode);

/// Whether the first instruction of `bytes` can raise `vector` by itself: a division #DE; UD0 to
/// UD2, or bytes that are not an instruction, #UD.
bool raises_by_itself(std::span<const std::uint8_t> bytes, CpuMode mode, Vector vector);

/// The instructions around `rip`: up to `before` that end there, the one at `rip`, and up to
/// `after` more. `code` begins at `start`; decoding begins there if `aligned`, else where it falls
/// in step with `rip`. Empty when `rip` is not in `code`.
std::vector<Instruction> disassemble_around(std::span<const std::uint8_t> code, Gva start,
                                            bool aligned, Gva rip, CpuMode mode, std::size_t before,
                                            std::size_t after);

}  // namespace hltest::internal
