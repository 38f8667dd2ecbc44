#include <hltest/x86/paging_mode.h>

#include <fmt/format.h>

namespace hltest {

PagingMode paging_mode(const Registers& registers) {
  if (!registers.cr0.pg()) return PagingMode::kNone;
  if (!registers.cr4.pae()) return PagingMode::k32Bit;
  if (!registers.efer.lma()) return PagingMode::kPae;
  return registers.cr4.la57() ? PagingMode::k5Level : PagingMode::k4Level;
}

std::string to_string(PagingMode mode) {
  switch (mode) {
    case PagingMode::kNone:
      return "no paging";
    case PagingMode::k32Bit:
      return "32-bit paging";
    case PagingMode::kPae:
      return "PAE paging";
    case PagingMode::k4Level:
      return "4-level paging";
    case PagingMode::k5Level:
      return "5-level paging";
  }
  return "unknown paging";
}

bool is_valid_linear_address(PagingMode mode, Gva gva) {
  const unsigned bits = paging_format(mode).linear_bits;
  if (bits == 32) return gva.value() >> 32U == 0;
  const std::uint64_t upper = gva.value() >> (bits - 1);
  return upper == 0 || upper == (~0ULL >> (bits - 1));
}

std::string describe_linear_addresses(PagingMode mode) {
  const unsigned bits = paging_format(mode).linear_bits;
  if (bits == 32) return fmt::format("the 32-bit addresses of {}", to_string(mode));
  return fmt::format("the canonical addresses of {} (0 to {:#x} and from {:#x} on)",
                     to_string(mode), (1ULL << (bits - 1)) - 1, ~0ULL << (bits - 1));
}

}  // namespace hltest
