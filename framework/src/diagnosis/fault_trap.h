#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <hltest/tables.h>

#include "start/system_tables.h"
#include "vm/backing.h"
#include "x86/code/decoded_instruction.h"

namespace hltest::internal {

/// What a guest is entered with so that its next exception comes to a handler of the replay's: an
/// IDT, a GDT with the guest's entries and more, a TSS and where it can be a stack of our own.
struct FaultTrap {
  Registers registers{};
  Gva handlers{};  ///< a HLT for each vector
  Gva region{};    ///< where the replay's region is in the guest's address space
};

/// Lays the trap out in `region`, which is to become the guest's memory at `kReplayRegion`; for
/// real mode in the guest's memory. `instruction` is what the guest executes next; nothing where it
/// is none. Returns nothing where there is no room.
std::optional<FaultTrap> set_fault_trap(std::span<std::uint8_t> region, Backing& memory,
                                        const GuestTables& tables,
                                        const std::optional<DecodedInstruction>& instruction);

}  // namespace hltest::internal
