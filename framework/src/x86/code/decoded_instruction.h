#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// One operand of an instruction, with the value that it has in the registers.
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
  bool is_hidden = false;  ///< not in the instruction's text: a stack, or the DX:AX of DIV
};

/// What an instruction is about to do.
struct DecodedInstruction {
  std::string mnemonic{};  ///< `div`
  std::string text{};      ///< `div bx`
  std::size_t length = 0;  ///< in bytes
  std::vector<Operand> operands{};
  enum class Unit { kInteger, kX87, kMmx, kSse, kAvx } unit = Unit::kInteger;

  /// The first operand of a kind that stands in its text; nullptr where there is none.
  [[nodiscard]] const Operand* first(Operand::Kind kind) const;
  /// The operand in memory, one in the text before a hidden one; nullptr where there is none.
  [[nodiscard]] const Operand* memory() const;
  [[nodiscard]] bool is(std::string_view name) const { return mnemonic == name; }
};

/// Decodes the first instruction of `bytes`, which the processor is about to execute with these
/// registers; nothing where it is none in their mode.
std::optional<DecodedInstruction> decode_instruction(std::span<const std::uint8_t> bytes,
                                                     const Registers& registers);

}  // namespace hltest
