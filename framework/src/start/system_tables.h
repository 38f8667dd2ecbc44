#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <hltest/start_descriptors.h>
#include <hltest/x86/address.h>

/// The tables by which the framework catches exceptions: those of a start, and those of a replay.
namespace hltest::internal {

inline constexpr unsigned kVectors = 256;

/// Puts a number into memory, lowest byte first.
template <typename T>
void put(std::span<std::uint8_t> memory, std::uint64_t offset, const T& value) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  std::copy_n(bytes, sizeof value, memory.subspan(offset, sizeof value).begin());
}

/// HLTs that serve as handlers: the one for vector n at offset n.
void put_handlers(std::span<std::uint8_t> memory, std::uint64_t offset, std::uint64_t count);

/// What the gates of an IDT lead to.
struct HandlerGates {
  bool ia32e = false;
  std::uint16_t code = 0;  ///< the selector of the handlers' code segment
  Gva handlers{};
  /// Whether CPL 3 may reach a gate whose frame holds an error code by INT n, which pushes none.
  bool all_from_cpl_3 = false;
};
/// The bytes of an IDT with 256 gates; those in `own` in place of the framework's.
std::vector<std::uint8_t> idt_bytes(const HandlerGates& gates,
                                    const std::map<Vector, Descriptor>& own = {});

/// The bytes of a TSS (SDM vol. 3, figures 8-2 and 8-11) with the handlers' stack: RSP0 and IST1,
/// or ESP0 and SS0. It has no I/O map.
std::vector<std::uint8_t> tss_bytes(bool ia32e, Gva stack_top, std::uint16_t stack_selector);

}  // namespace hltest::internal
