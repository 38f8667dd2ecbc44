#pragma once

#include "machine/guest_memory.h"
#include "machine/outcome.h"
#include "machine/stop_reason.h"
#include "machine/system_tables.h"

namespace hltest {

/// Why the processor raised `exception`, in one sentence (see fault_cause.h), from the tables that
/// the registers before it led to.
std::string cause_of(const Exception& exception, const SystemTables& tables,
                     const GuestMemory& memory);

/// The same for an exception that a run ended with; a `HostLimit` where it is KVM's doing: some
/// refuse 32-bit and PAE paging with a #GP.
StopReason explained(Exception exception, const SystemTables& tables, const GuestMemory& memory);

/// Why an exception can't be delivered, in one sentence (see delivery.h); empty where it can.
std::string obstacle_to(Vector vector, const SystemTables& tables);

/// Fills in what the guest's memory says of where it stopped: the cause of a fault, the place in
/// the image, the code there. Nothing where the registers are lost.
void explain_stop(Outcome& outcome, const GuestMemory& memory, unsigned physical_bits);

/// The same for a stop at code that is not mapped, and that is known to be at `gpa`: what the image
/// has there.
void place_in_image(Outcome& outcome, Gpa gpa);

}  // namespace hltest
