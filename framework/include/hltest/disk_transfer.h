#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <hltest/x86/address.h>

namespace hltest {

/// The number of a drive, as the BIOS has it in DL: 0 and 1 are floppies, 0x80 and up hard disks.
using Drive = std::uint8_t;
inline constexpr Drive kFirstFloppy = 0x00;
inline constexpr Drive kFirstHardDisk = 0x80;

/// Sectors that INT 13h read or wrote: a value.
struct DiskTransfer {
  Drive drive = kFirstHardDisk;
  std::uint64_t lba = 0;
  std::uint64_t count = 1;
  /// Where in memory they went to or came from. Of an expected one: any address, if none is given.
  std::optional<Gpa> memory = std::nullopt;
  bool is_write = false;
};

/// `read sectors 1-4 of drive 0x80 to 0x8000`
std::string to_string(const DiskTransfer& transfer);

}  // namespace hltest
