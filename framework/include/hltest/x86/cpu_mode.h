#pragma once

#include <string>

#include <hltest/x86/registers.h>

namespace hltest {

/// How the processor decodes the next instruction (SDM vol. 3, 2.2 and 4.1; vol. 1, 3.1).
/// The start states that a fixture gives a guest are described in `start_state.h`.
enum class CpuMode {
  kReal16,           ///< CR0.PE = 0: 16-bit real-address mode
  kVirtual8086,      ///< CR0.PE = 1 and RFLAGS.VM = 1: 16-bit code in a protected-mode task
  kProtected16,      ///< CR0.PE = 1, EFER.LMA = 0, CS.D = 0: 16-bit protected mode
  kProtected32,      ///< CR0.PE = 1, EFER.LMA = 0, CS.D = 1: 32-bit protected mode
  kCompatibility16,  ///< EFER.LMA = 1, CS.L = 0, CS.D = 0: 16-bit code under a 64-bit system
  kCompatibility32,  ///< EFER.LMA = 1, CS.L = 0, CS.D = 1: 32-bit code under a 64-bit system
  kLong64,           ///< EFER.LMA = 1, CS.L = 1: 64-bit code
};

/// The mode that these registers put the processor in.
CpuMode cpu_mode(const Registers& registers);

/// `real16`, `virtual8086`, `protected16`, `protected32`, `compatibility16`, `compatibility32` or
/// `long64`.
std::string to_string(CpuMode mode);

/// The same, followed by `_user` at CPL 3.
std::string mode_name(const Registers& registers);

/// The address of the stack's top: SS base + SP, ESP or RSP, by SS.B and the mode.
Gva stack_address(const Registers& registers);

/// Whether the mode requires EFER.LMA = 1: 64-bit and compatibility mode.
constexpr bool is_ia32e(CpuMode mode) {
  return mode == CpuMode::kLong64 || mode == CpuMode::kCompatibility32 ||
         mode == CpuMode::kCompatibility16;
}

/// The default operand and address size of code in this mode: 16, 32 or 64 (NASM's BITS).
constexpr unsigned code_bits(CpuMode mode) {
  switch (mode) {
    case CpuMode::kReal16:
    case CpuMode::kVirtual8086:
    case CpuMode::kProtected16:
    case CpuMode::kCompatibility16:
      return 16;
    case CpuMode::kProtected32:
    case CpuMode::kCompatibility32:
      return 32;
    case CpuMode::kLong64:
      break;
  }
  return 64;
}

}  // namespace hltest
