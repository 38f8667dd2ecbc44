#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/register_name.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// Registers that a run starts with in place of the start state's; one that is not given keeps its
/// value. `{.rax = 2, .rbx = 2}`.
struct StartRegisters {
  std::optional<std::uint64_t> rax = std::nullopt;
  std::optional<std::uint64_t> rbx = std::nullopt;
  std::optional<std::uint64_t> rcx = std::nullopt;
  std::optional<std::uint64_t> rdx = std::nullopt;
  std::optional<std::uint64_t> rsi = std::nullopt;
  std::optional<std::uint64_t> rdi = std::nullopt;
  std::optional<std::uint64_t> rsp = std::nullopt;
  std::optional<std::uint64_t> rbp = std::nullopt;
  std::optional<std::uint64_t> r8 = std::nullopt;
  std::optional<std::uint64_t> r9 = std::nullopt;
  std::optional<std::uint64_t> r10 = std::nullopt;
  std::optional<std::uint64_t> r11 = std::nullopt;
  std::optional<std::uint64_t> r12 = std::nullopt;
  std::optional<std::uint64_t> r13 = std::nullopt;
  std::optional<std::uint64_t> r14 = std::nullopt;
  std::optional<std::uint64_t> r15 = std::nullopt;
  /// The offset within CS of the first instruction, in place of the image's entry.
  std::optional<std::uint64_t> rip = std::nullopt;
  std::optional<std::uint64_t> rflags = std::nullopt;
};

/// Writes `start` into `registers`. Throws `RegisterError` for a value that is too wide for the
/// register in this mode, and for R8 to R15 outside long mode.
void apply(const StartRegisters& start, CpuMode mode, Registers& registers);

/// Sets one register by name: `set_register`, and for a segment register what a load of the
/// selector would do: in real mode the base becomes 16 times the selector, else the hidden part is
/// that of the start state's GDT. Throws `RegisterError`, also for a selector that is not in that
/// GDT.
void set_start_register(Registers& registers, std::string_view name, std::uint64_t value,
                        CpuMode mode);

}  // namespace hltest
