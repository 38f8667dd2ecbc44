#pragma once

#include <cstdint>

#include <hltest/disk.h>

#include "bios/bios_run.h"

/// What the functions of INT 13h have in common, and those that move no sectors.
namespace hltest::internal {

/// What AH tells of a call.
enum Status : std::uint8_t {
  kDone = 0x00,
  kBadCommand = 0x01,
  kSectorNotFound = 0x04,
  kDmaBoundary = 0x09,
  kNotReady = 0x80,
};

/// Ends the call with a status: in AH, in the data area, and by the carry flag.
void end_with(BiosCall& call, std::uint8_t status);
/// Of the status of the last call for a drive of this kind.
Gpa status_of(const BiosCall& call);
/// Null where there is none in the drive.
Disk* disk_of(BiosCall& call);
/// Whether the call's drive has AH = 41h to 48h: hard disks only, as with most BIOSes.
bool has_extensions(const BiosCall& call);

void tell_status(BiosCall& call);               ///< AH = 01h
void tell_parameters(BiosCall& call);           ///< AH = 08h
void prepare_hard_disk(BiosCall& call);         ///< AH = 09h, 0Ch, 10h, 11h and 14h
void tell_type(BiosCall& call);                 ///< AH = 15h
void tell_extensions(BiosCall& call);           ///< AH = 41h
void tell_extended_parameters(BiosCall& call);  ///< AH = 48h

}  // namespace hltest::internal
