// INT 13h: what it tells of drives.
#include <algorithm>
#include <array>
#include <cstring>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"
#include "bios/disk_calls.h"

namespace hltest::internal {

Gpa status_of(const BiosCall& call) {
  return call.call.before.dl() < kFirstHardDisk ? kBiosFloppyStatus : kBiosHardDiskStatus;
}

void end_with(BiosCall& call, std::uint8_t status) {
  call.memory().write<std::uint8_t>(status_of(call), status);
  call.registers().set_ah(status);
  call.set_carry(status != kDone);
}

Disk* disk_of(BiosCall& call) {
  const auto found = call.bios.drives.find(call.call.before.dl());
  return found != call.bios.drives.end() ? &found->second : nullptr;
}

bool has_extensions(const BiosCall& call) {
  return call.bios.settings.has_disk_extensions && call.call.before.dl() >= kFirstHardDisk;
}

void tell_status(BiosCall& call) {
  call.call.name = "read the status";
  const auto status = call.memory().read<std::uint8_t>(status_of(call));
  call.registers().set_ah(status);
  call.set_carry(status != kDone);
}

void tell_parameters(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the drive's parameters";
  const Disk* const disk = disk_of(call);
  if (disk == nullptr) return end_with(call, 0x07);
  const DiskGeometry geometry = disk->geometry();
  const bool is_hard_disk = r.dl() >= kFirstHardDisk;
  // A hard disk's last cylinder is for diagnostics (IBM PC/AT Technical Reference).
  const unsigned reserved = is_hard_disk ? 2 : 1;
  const unsigned last = std::max(geometry.cylinders, reserved) - reserved;
  const auto drives = std::ranges::count_if(call.bios.drives, [&](const auto& drive) {
    return (drive.first >= kFirstHardDisk) == is_hard_disk;
  });
  r.set_ch(static_cast<std::uint8_t>(last));
  r.set_cl(static_cast<std::uint8_t>(geometry.sectors | (last >> 2U & 0xC0U)));
  r.set_dh(static_cast<std::uint8_t>(geometry.heads - 1));
  r.set_dl(static_cast<std::uint8_t>(drives));
  r.set_al(0);
  if (!is_hard_disk) {
    constexpr std::uint8_t k1440KiB = 4;
    r.set_bx(k1440KiB);
    r.es = Segment::real_mode(kRomSegment);
    r.set_di(static_cast<std::uint16_t>(kDisketteParameters.value() & 0xFFFF));
  }
  end_with(call, kDone);
}

void tell_type(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the drive's type";
  const Disk* const disk = disk_of(call);
  if (disk == nullptr) return end_with(call, kDone);
  end_with(call, kDone);
  if (r.dl() < kFirstHardDisk) {
    r.set_ah(1);
    return;
  }
  const DiskGeometry geometry = disk->geometry();
  const unsigned cylinders = std::max(geometry.cylinders, 1U) - 1;  // without that for diagnostics
  const unsigned sectors = cylinders * geometry.heads * geometry.sectors;
  r.set_ah(3);
  r.set_cx(static_cast<std::uint16_t>(sectors >> 16U));
  r.set_dx(static_cast<std::uint16_t>(sectors));
}

void tell_extensions(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "look for the disk extensions";
  if (!has_extensions(call) || r.bx() != 0x55AA || disk_of(call) == nullptr) {
    return end_with(call, kBadCommand);
  }
  end_with(call, kDone);
  r.set_ah(0x30);  // EDD-3
  r.set_bx(0xAA55);
  r.set_cx(1);  // functions 42h to 44h, 47h and 48h
}

void tell_extended_parameters(BiosCall& call) {
  const Registers& r = call.registers();
  call.call.name = "read the drive's parameters by a packet";
  const Disk* const disk = disk_of(call);
  const Gpa to = call.address(r.ds, r.si());
  constexpr std::uint16_t kSize = 26;
  const bool is_possible = has_extensions(call) && disk != nullptr &&
                           call.memory().is_ram(to, kSize) &&
                           call.memory().read<std::uint16_t>(to) >= kSize;
  if (!is_possible) return end_with(call, kBadCommand);
  const DiskGeometry geometry = disk->geometry();
  std::array<std::uint8_t, kSize> bytes{};
  const auto put = [&bytes](std::size_t at, auto value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  };
  put(0, kSize);
  put(2, std::uint16_t{2});  // the geometry is valid
  put(4, geometry.cylinders);
  put(8, geometry.heads);
  put(12, geometry.sectors);
  put(16, disk->sectors());
  put(24, static_cast<std::uint16_t>(Disk::kSectorSize));
  call.write(to, bytes);
  end_with(call, kDone);
}

// What moves nothing: set the parameters, seek, reset, ready?, recalibrate, diagnose.
void prepare_hard_disk(BiosCall& call) {
  call.call.name = "prepare the hard disk";
  if (call.call.before.dl() < kFirstHardDisk) {
    refuse(call);
    return end_with(call, kBadCommand);
  }
  end_with(call, disk_of(call) != nullptr ? kDone : kBadCommand);
}

}  // namespace hltest::internal
