// The BIOS parameter block in a FAT volume's boot sector (Microsoft FAT specification 1.03, 3.1).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/error.h>

#include "devices/fat_layout.h"
#include "devices/first_sector.h"
#include "devices/sector_bytes.h"

namespace hltest::internal {
namespace {

constexpr std::size_t kBlock = 3;
constexpr std::size_t kEndOfBlock = 62;
using Block = std::array<std::uint8_t, kEndOfBlock - kBlock>;
constexpr std::uint8_t kNop = 0x90;
constexpr std::uint8_t kJumpShort = 0xEB;
constexpr std::uint8_t kJumpNear = 0xE9;

void put_text(std::span<std::uint8_t> bytes, std::size_t offset, std::string_view text) {
  std::ranges::copy(text, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

DiskGeometry geometry_of(const FatVolume& volume) {
  return volume.geometry.value_or(Disk{volume.hidden + volume.sectors}.geometry());
}

// Offsets are those of the specification.
Block parameter_block(const FatVolume& volume, const FatLayout& layout) {
  constexpr std::uint32_t kSerialNumber = 0x686C'7473;
  constexpr std::uint32_t kMostIn16Bits = 0xFFFF;
  const DiskGeometry geometry = geometry_of(volume);
  const auto sectors = static_cast<std::uint32_t>(volume.sectors);
  const bool is_short = sectors <= kMostIn16Bits;
  std::array<std::uint8_t, kEndOfBlock> sector{};
  put_text(sector, 3, "hltest  ");
  put(sector, 11, std::uint16_t{Disk::kSectorSize});
  put(sector, 13, static_cast<std::uint8_t>(layout.sectors_per_cluster));
  put(sector, 14, std::uint16_t{FatLayout::kReserved});
  put(sector, 16, std::uint8_t{FatLayout::kFats});
  put(sector, 17, static_cast<std::uint16_t>(layout.root_entries));
  put(sector, 19, static_cast<std::uint16_t>(is_short ? sectors : 0));
  put(sector, 21, layout.media);
  put(sector, 22, static_cast<std::uint16_t>(layout.sectors_per_fat));
  put(sector, 24, static_cast<std::uint16_t>(geometry.sectors));
  put(sector, 26, static_cast<std::uint16_t>(geometry.heads));
  put(sector, 28, static_cast<std::uint32_t>(volume.hidden));
  put(sector, 32, is_short ? 0 : sectors);
  put(sector, 36, layout.is_floppy ? kFirstFloppy : kFirstHardDisk);
  put(sector, 38, std::uint8_t{0x29});  // the next three are there
  put(sector, 39, kSerialNumber);
  put_text(sector, 43, "NO NAME    ");
  put_text(sector, 54, layout.is_fat12() ? "FAT12   " : "FAT16   ");
  Block block{};
  std::copy(sector.begin() + kBlock, sector.end(), block.begin());
  return block;
}

// Where the jump in the first bytes leads to; 0 if there is none.
std::size_t target_of_jump(std::span<const std::uint8_t> code) {
  constexpr std::uint8_t kMostForward = 0x7F;
  if (code.size() < kBlock) return 0;
  if (code[0] == kJumpShort && code[1] <= kMostForward) return std::size_t{code[1]} + 2;
  if (code[0] == kJumpNear) return (std::size_t{code[1]} | std::size_t{code[2]} << 8U) + 3;
  return 0;
}

void check_room(const FlatImage& code, const Block& block) {
  constexpr const char* kBegin = "jmp short start, nop, times 59 db 0, start:";
  const auto bytes = code.bytes();
  const std::size_t target = target_of_jump(bytes);
  if (target < kEndOfBlock || target >= Disk::kSectorSize) {
    throw SetupError(
        fmt::format("the boot sector {} does not begin with a jump to byte 62 or later, and bytes "
                    "3 to 61 are the "
                    "BIOS parameter block: begin it with {}",
                    code.name(), kBegin));
  }
  for (std::size_t i = kBlock; i < std::min(kEndOfBlock, bytes.size()); ++i) {
    const std::uint8_t own = bytes[i];
    const std::uint8_t filled_in = block.at(i - kBlock);
    if (own == 0 || own == kNop || own == filled_in) continue;
    throw SetupError(
        fmt::format("the boot sector {} has {:#04x} in byte {} of the BIOS parameter block, where "
                    "the volume has "
                    "{:#04x}: begin it with {}",
                    code.name(), own, i, filled_in, kBegin));
  }
}

// A volume that is not for booting has one that halts.
FlatImage halting_sector() {
  std::vector<std::uint8_t> bytes{kJumpShort, kEndOfBlock - 2, kNop};
  bytes.resize(kEndOfBlock);
  bytes.insert(bytes.end(), {0xFA, 0xF4});  // cli; hlt
  return {"fat_boot_sector", std::move(bytes)};
}

}  // namespace

FlatImage fat_boot_sector(const FatVolume& volume, const FatLayout& layout) {
  const FlatImage code = volume.boot_sector ? *volume.boot_sector : halting_sector();
  const Block block = parameter_block(volume, layout);
  check_room(code, block);
  return first_sector(code, kBlock, block);
}

}  // namespace hltest::internal
