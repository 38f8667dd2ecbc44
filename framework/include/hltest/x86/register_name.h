#pragma once

#include <hltest/error.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// A register that does not exist, or a value that does not fit in one.
class RegisterError : public Error {
 public:
  using Error::Error;
};

/// Sets the register or part of one that the SDM calls `name` (any case): `al`, `ah`, `ax`, `eax`,
/// `rax`, `r8b`, `rip`, `rflags`, `cr0`, `efer` … A part leaves the rest of its register as it is,
/// but a 32-bit part clears bits 63:32, as an instruction would (SDM vol. 1, 3.4.1.1).
/// Throws `RegisterError` for an unknown name, for a value wider than the register or than code in
/// `mode` can see, and for R8 to R15 outside 64-bit mode. Segments are set by
/// `RegisterSettings::set`.
void set_register(Registers& registers, std::string_view name, std::uint64_t value, CpuMode mode);

/// The segment register of this name (lower case), or nullptr.
Segment* find_segment(Registers& registers, std::string_view name);
const Segment* find_segment(const Registers& registers, std::string_view name);

/// `text` in lower case, which the names here have.
std::string lower_case(std::string_view text);
/// `text` in upper case, which the SDM's names have.
std::string upper_case(std::string_view text);

/// One register, for a report or JSON.
struct NamedValue {
  std::string_view name;
  std::uint64_t value;
};

/// All registers by name: general, rip, rflags, segment selectors, GDTR and IDTR (base and
/// limit), control registers, EFER.
std::vector<NamedValue> named_values(const Registers& registers);

}  // namespace hltest
