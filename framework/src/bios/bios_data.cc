#include "bios/bios_data.h"

#include <array>
#include <string_view>
#include <vector>

#include <hltest/memory_layout.h>

namespace hltest::internal {

void put_bios_data(const Bios& bios, unsigned floppies, unsigned hard_disks, GuestMemory& memory) {
  constexpr std::uint16_t kMathCoprocessor = 1U << 1U;
  constexpr std::uint16_t kColour80Columns = 2U << 4U;
  constexpr std::uint16_t kOneSerialPort = 1U << 9U;
  std::uint16_t equipment = kMathCoprocessor | kColour80Columns | kOneSerialPort;
  if (floppies > 0) {
    equipment = static_cast<std::uint16_t>(equipment | 1U | (floppies - 1) << 6U);
  }
  const auto ebda = static_cast<std::uint16_t>(bios.conventional_kib * 64);
  memory.write<std::array<std::uint16_t, 4>>(Gpa{0x400}, {0x3F8, 0, 0, 0});  // COM1
  memory.write<std::uint16_t>(kBiosEbda, ebda);
  memory.write<std::uint16_t>(kBiosEquipment, equipment);
  memory.write<std::uint16_t>(kBiosMemorySize, static_cast<std::uint16_t>(bios.conventional_kib));
  memory.write<std::array<std::uint16_t, 4>>(Gpa{0x41A}, {0x1E, 0x1E, 0, 0});  // no keys
  memory.write<std::uint8_t>(kBiosFloppyStatus, 0);
  memory.write<std::uint8_t>(kBiosHardDiskStatus, 0);
  memory.write<std::uint8_t>(kBiosHardDisks, static_cast<std::uint8_t>(hard_disks));
  memory.write<std::array<std::uint16_t, 2>>(Gpa{0x480}, {0x1E, 0x3E});  // the keyboard buffer
  memory.write<std::uint8_t>(Gpa{0x496}, 0x10);                          // a keyboard of 101 keys
  // Of a VGA with a colour display: switches, settings, and what INT 10h, AX = 1A00h tells.
  memory.write<std::array<std::uint8_t, 3>>(Gpa{0x488}, {0xF9, 0x51, 0x08});
  memory.write<std::uint8_t>(Gpa{std::uint64_t{ebda} * 16}, 1);  // KiB of EBDA

  constexpr std::uint8_t kText80x25 = 3;
  put_video_mode(*video_mode(kText80x25), false, memory);

  // Of a 1.44 MB drive: 18 sectors of 512 bytes.
  constexpr std::array<std::uint8_t, 11> kParameters = {0xAF, 0x02, 0x25, 0x02, 0x12, 0x1B,
                                                        0xFF, 0x6C, 0xF6, 0x0F, 0x08};
  memory.write_bytes(kDisketteParameters, kParameters);
  constexpr Gpa kVector1E{0x78};
  memory.write<std::array<std::uint16_t, 2>>(
      kVector1E, {static_cast<std::uint16_t>(kDisketteParameters.value() & 0xFFFF), kRomSegment});

  // Eight bytes: an AT's model, submodel and revision; a second interrupt controller, a real-time
  // clock and an EBDA.
  constexpr std::uint8_t kFeatures = 0x40 | 0x20 | 0x04;
  memory.write<std::array<std::uint8_t, 10>>(kConfigurationTable,
                                             {8, 0, 0xFC, 0x00, 0x01, kFeatures});

  // int 19h; the date of the BIOS, and the model: AT.
  memory.write<std::array<std::uint8_t, 2>>(kResetVector, {0xCD, 0x19});
  constexpr std::string_view kDate = "06/23/99";
  memory.write_bytes(kResetVector + 5,
                     {reinterpret_cast<const std::uint8_t*>(kDate.data()), kDate.size()});
  memory.write<std::uint8_t>(kResetVector + 14, 0xFC);
}

void count_ticks(std::uint32_t ticks, GuestMemory& memory) {
  constexpr std::uint32_t kDay = 0x1800B0;
  const std::uint64_t now = std::uint64_t{memory.read<std::uint32_t>(kBiosTicks)} + ticks;
  if (now >= kDay) memory.write<std::uint8_t>(kBiosMidnight, 1);
  memory.write<std::uint32_t>(kBiosTicks, static_cast<std::uint32_t>(now % kDay));
}

void put_video_mode(const VideoMode& mode, bool keeps_memory, GuestMemory& memory) {
  memory.write<std::uint8_t>(kBiosVideoMode, mode.number);
  memory.write<std::uint16_t>(kBiosColumns, mode.columns);
  memory.write<std::uint16_t>(kBiosPageSize, mode.page_size);
  memory.write<std::uint16_t>(kBiosPageStart, 0);
  memory.write<std::array<std::uint16_t, 8>>(kBiosCursors, {});
  const bool is_text = mode.layout == DisplayLayout::kText;
  memory.write<std::uint16_t>(kBiosCursorShape, is_text ? 0x0607 : 0);
  memory.write<std::uint8_t>(kBiosActivePage, 0);
  memory.write<std::uint16_t>(kBiosActivePage + 1, 0x3D4);  // the CRT controller's port
  memory.write<std::uint8_t>(kBiosLastRow, static_cast<std::uint8_t>(mode.rows - 1));
  memory.write<std::uint16_t>(kBiosCharacterHeight, mode.character_height);
  constexpr std::uint8_t k256KiB = 0x60;
  memory.write<std::uint8_t>(kBiosVideoControl, k256KiB | (keeps_memory ? kModeKeptMemory : 0));
  if (keeps_memory) return;
  switch (mode.layout) {
    case DisplayLayout::kText: {
      constexpr std::uint16_t kBlankOnBlack = 0x0720;
      const std::vector<std::uint16_t> blank(kTextMemorySize / 2, kBlankOnBlack);
      return memory.write_bytes(
          mode.memory, {reinterpret_cast<const std::uint8_t*>(blank.data()), kTextMemorySize});
    }
    case DisplayLayout::kCga:
      return memory.fill(mode.memory, kTextMemorySize, 0);
    case DisplayLayout::kPlanes:
    case DisplayLayout::kBytes:
      return memory.fill(mode.memory, 0x10000, 0);
  }
}

}  // namespace hltest::internal
