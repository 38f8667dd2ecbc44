#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

namespace hltest::internal {

/// A fault, and the state in which the processor raised it.
struct Fault {
  Vector vector{};
  std::optional<std::uint32_t> error_code = std::nullopt;
  Gva address{};          ///< CR2, for #PF
  Registers registers{};  ///< before the fault; for a trap, RIP is after the instruction
  std::function<PageWalk(Gva gva)> walk{};
  LinearReader read{};
  std::function<std::vector<std::uint8_t>(Gpa gpa, std::size_t count)> read_physical{};
};

/// Why the processor raised it, in one sentence without a full stop. Found by decoding what the
/// processor read: the instruction and its operands, the page tables, the descriptor. Empty if that
/// shows no cause.
std::string fault_cause(const Fault& fault);

}  // namespace hltest::internal
