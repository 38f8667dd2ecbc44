#pragma once

#include <cstdint>

#include <hltest/bios.h>
#include <hltest/memory.h>
#include <hltest/x86/address.h>

#include "devices/video_mode.h"

/// The BIOS data area, at segment 40h, and what else a BIOS leaves in memory (IBM PC/AT Technical
/// Reference; SeaBIOS has the same).
namespace hltest::internal {

inline constexpr Gpa kBiosEbda{0x40E};  // its segment
inline constexpr Gpa kBiosEquipment{0x410};
inline constexpr Gpa kBiosMemorySize{0x413};
inline constexpr Gpa kBiosFloppyStatus{0x441};
inline constexpr Gpa kBiosVideoMode{0x449};
inline constexpr Gpa kBiosColumns{0x44A};
inline constexpr Gpa kBiosPageSize{0x44C};
inline constexpr Gpa kBiosPageStart{0x44E};
inline constexpr Gpa kBiosCursors{0x450};  // of eight pages: column, row
inline constexpr Gpa kBiosCursorShape{0x460};
inline constexpr Gpa kBiosActivePage{0x462};
inline constexpr Gpa kBiosTicks{0x46C};
inline constexpr Gpa kBiosMidnight{0x470};
inline constexpr Gpa kBiosHardDiskStatus{0x474};
inline constexpr Gpa kBiosHardDisks{0x475};
inline constexpr Gpa kBiosLastRow{0x484};
inline constexpr Gpa kBiosCharacterHeight{0x485};
inline constexpr Gpa kBiosVideoControl{0x487};
/// Of `kBiosVideoControl`: the last mode was set without clearing the display's memory.
inline constexpr std::uint8_t kModeKeptMemory = 0x80;

/// The BIOS's ROM at the reset vector; a far jump there reboots.
inline constexpr Gpa kResetVector{0xFFFF0};
inline constexpr Gpa kDisketteParameters{0xFEFC7};
/// What INT 15h, AH = C0h tells the address of.
inline constexpr Gpa kConfigurationTable{0xFE6F5};

/// Fills in the data area, the diskette parameters (vector 1Eh), the configuration table and the
/// ROM at the reset vector.
void put_bios_data(const Bios& bios, unsigned floppies, unsigned hard_disks, GuestMemory& memory);

/// Lets so many ticks of the clock pass. Of 1800B0h, which are a day, the clock begins anew, and
/// the data area has a flag for it.
void count_ticks(std::uint32_t ticks, GuestMemory& memory);

/// What setting a video mode leaves in the data area and, unless it is to keep it, in the display's
/// memory.
void put_video_mode(const VideoMode& mode, bool keeps_memory, GuestMemory& memory);

}  // namespace hltest::internal
