#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>
#include "x86/code/mnemonic.h"

namespace hltest::internal {

/// One operand of an instruction, with its value.
struct Operand {
  enum class Kind { kRegister, kMemory, kImmediate, kFarPointer } kind = Kind::kRegister;
  /// The register's name (`bx`), or the segment register that memory is accessed through (`ds`).
  std::string name{};
  /// Of a register or an immediate; the offset of memory or of a far pointer.
  std::uint64_t value = 0;
  std::uint16_t selector = 0;  ///< of a far pointer
  Gva linear{};                ///< of memory
  unsigned size = 0;           ///< in bytes
  bool is_read = false;
  bool is_written = false;
  bool is_hidden = false;  ///< not in the instruction's text: the stack, or DX:AX of DIV
};

/// An instruction with its operands' values.
struct DecodedInstruction {
  Mnemonic mnemonic = Mnemonic::kOther;
  std::string name{};         ///< the mnemonic in words: `div`, `ret far`
  std::string text{};         ///< `div bx`
  std::size_t length = 0;     ///< in bytes
  unsigned operand_size = 0;  ///< in bytes: 2, 4 or 8
  std::vector<Operand> operands{};
  enum class Unit { kInteger, kX87, kMmx, kSse, kAvx, kXsave } unit = Unit::kInteger;

  /// The first visible operand of a kind, or nullptr.
  [[nodiscard]] const Operand* first(Operand::Kind kind) const;
  /// The operand in memory, preferably a visible one, or nullptr.
  [[nodiscard]] const Operand* memory() const;
  /// Whether it is one of these.
  [[nodiscard]] bool is(std::same_as<Mnemonic> auto... any) const {
    return ((mnemonic == any) || ...);
  }
};

/// The vector that INT n, INT3, INTO or INT1 asks for; nothing for any other instruction.
std::optional<Vector> software_vector(const DecodedInstruction& instruction);

/// Decodes the first instruction of `bytes`, which the processor is about to execute with these
/// registers; nothing where they are not an instruction in the registers' mode.
std::optional<DecodedInstruction> decode_instruction(std::span<const std::uint8_t> bytes,
                                                     const Registers& registers);

}  // namespace hltest::internal
