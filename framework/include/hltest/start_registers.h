#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// The value of a general register: a number or an address.
class RegisterValue {
 public:
  // NOLINTBEGIN(google-explicit-constructor): it stands for the number
  template <std::integral Number>
  constexpr RegisterValue(Number number) : value_(static_cast<std::uint64_t>(number)) {}
  constexpr RegisterValue(Gpa address) : value_(address.value()) {}
  constexpr RegisterValue(Gva address) : value_(address.value()) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};

/// Registers that a run starts with in place of the start state's; one that is not given keeps its
/// value. `{.rax = 2, .rdi = Gpa{0x2000}}`.
struct StartRegisters {
  std::optional<RegisterValue> rax = std::nullopt;
  std::optional<RegisterValue> rbx = std::nullopt;
  std::optional<RegisterValue> rcx = std::nullopt;
  std::optional<RegisterValue> rdx = std::nullopt;
  std::optional<RegisterValue> rsi = std::nullopt;
  std::optional<RegisterValue> rdi = std::nullopt;
  std::optional<RegisterValue> rsp = std::nullopt;
  std::optional<RegisterValue> rbp = std::nullopt;
  std::optional<RegisterValue> r8 = std::nullopt;
  std::optional<RegisterValue> r9 = std::nullopt;
  std::optional<RegisterValue> r10 = std::nullopt;
  std::optional<RegisterValue> r11 = std::nullopt;
  std::optional<RegisterValue> r12 = std::nullopt;
  std::optional<RegisterValue> r13 = std::nullopt;
  std::optional<RegisterValue> r14 = std::nullopt;
  std::optional<RegisterValue> r15 = std::nullopt;
  /// The offset within CS of the first instruction, in place of the image's entry.
  std::optional<RegisterValue> rip = std::nullopt;
  std::optional<RegisterValue> rflags = std::nullopt;
};

/// Writes `start` into `registers`. Throws `RegisterError` for a value that is too wide for the
/// register in this mode, and for R8 to R15 outside long mode.
void apply(const StartRegisters& start, CpuMode mode, Registers& registers);

}  // namespace hltest
