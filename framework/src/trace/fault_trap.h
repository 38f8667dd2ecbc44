#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <hltest/x86/registers.h>
#include "machine/guest_memory.h"
#include "machine/system_tables.h"
#include "x86/code/decoded_instruction.h"

namespace hltest {

/// What a guest is entered with so that its next exception comes to a handler of the replay's: an
/// IDT, a GDT with the guest's entries and more, a TSS and where it can be a stack of our own.
struct FaultTrap {
  Registers registers{};
  Gva handlers{};  ///< a HLT for each vector
  Gva region{};    ///< where the replay's region is in the guest's address space
};
inline constexpr unsigned kTrappedVectors = 256;

/// Lays the trap out in `region`, which is to become the guest's memory at `kReplayRegion`; for
/// real mode in the guest's memory. `instruction` is what the guest executes next; nothing where it
/// is none. Nothing where there is no room.
std::optional<FaultTrap> set_fault_trap(std::span<std::uint8_t> region, const GuestMemory& memory,
                                        const SystemTables& tables,
                                        const std::optional<DecodedInstruction>& instruction);

}  // namespace hltest
