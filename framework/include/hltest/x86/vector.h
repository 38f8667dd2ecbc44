#pragma once

#include <cstdint>
#include <string>

namespace hltest {

/// An interrupt vector. The first 32 are the processor's own (SDM vol. 3, table 6-1).
enum class Vector : std::uint8_t {
  kDivideError = 0,
  kDebug = 1,
  kNonMaskableInterrupt = 2,
  kBreakpoint = 3,
  kOverflow = 4,
  kBoundRangeExceeded = 5,
  kInvalidOpcode = 6,
  kDeviceNotAvailable = 7,
  kDoubleFault = 8,
  kInvalidTss = 10,
  kSegmentNotPresent = 11,
  kStackFault = 12,
  kGeneralProtection = 13,
  kPageFault = 14,
  kX87FloatingPoint = 16,
  kAlignmentCheck = 17,
  kMachineCheck = 18,
  kSimdFloatingPoint = 19,
  kVirtualization = 20,
  kControlProtection = 21,
};

/// The SDM's mnemonic, such as `#GP`; `vector 0x80` for one that has none.
std::string mnemonic(Vector vector);

/// The SDM's description, such as `general protection`; `interrupt` for one that has none.
std::string description(Vector vector);

/// True for the exceptions that push an error code outside real mode (SDM vol. 3, table 6-1).
bool pushes_error_code(Vector vector);

}  // namespace hltest
