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

namespace hltest {

/// A fault, and what the processor could see when it raised it.
struct Fault {
  Vector vector{};
  std::optional<std::uint32_t> error_code = std::nullopt;
  Gva address{};          ///< CR2, for #PF
  Registers registers{};  ///< as they were before; RIP at the instruction, for a trap behind it
  std::function<PageWalk(Gva gva)> walk{};
  LinearReader read{};
  std::function<std::vector<std::uint8_t>(Gpa gpa, std::size_t count)> read_physical{};
};

/// Why the processor raised it, in one sentence without a full stop, found by decoding what it
/// looked at: the instruction and its operands, the page tables, the descriptor. Empty where that
/// does not tell.
std::string fault_cause(const Fault& fault);

}  // namespace hltest
