#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <hltest/disk_transfer.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

namespace hltest {

/// One call of a service: the guest came to the framework's handler for a vector, by INT n or by an
/// exception, and a service answered it. A value; while it is served, its service's alone.
struct ServiceCall {
  std::uint64_t access = 0;  ///< its place in the guest's accesses, counted from 0
  Vector vector{};
  /// The registers from before; for INT n with RIP after the instruction.
  Registers before{};
  /// The registers that the guest goes on with.
  Registers after{};
  /// What the service calls itself: `INT 13h, AH = 02h: read sectors`.
  std::string name{};
  /// What it printed on the console.
  std::string text{};
  /// The sectors that it read or wrote.
  std::optional<DiskTransfer> transfer = std::nullopt;
  /// False for a BIOS's answer to a function that it does not have.
  bool is_known = true;
};

/// `INT 13h, AX = 0201h: …`
std::string to_string(const ServiceCall& call);

}  // namespace hltest
