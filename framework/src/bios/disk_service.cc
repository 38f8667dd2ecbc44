// INT 13h: disks, by cylinder, head and sector, and by packets (EDD).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"
#include "bios/bios_run.h"

namespace hltest::internal {
namespace {

enum Status : std::uint8_t {
  kDone = 0x00,
  kBadCommand = 0x01,
  kSectorNotFound = 0x04,
  kDmaBoundary = 0x09,
  kNotReady = 0x80,
};

enum class Operation { kRead, kWrite, kVerify, kSeek };

struct Transfer {
  Operation operation;
  std::uint64_t lba;
  std::uint64_t count;
  Gpa memory;
};

const char* name(Operation operation) {
  return operation == Operation::kRead    ? "read"
         : operation == Operation::kWrite ? "write"
         : operation == Operation::kSeek  ? "seek"
                                          : "verify";
}

// Of the last call for a drive of this kind.
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

// Of hard disks only, as most BIOSes have them.
bool has_extensions(const BiosCall& call) {
  return call.bios.settings.has_disk_extensions && call.call.before.dl() >= kFirstHardDisk;
}

// What the test wants to go wrong here.
std::optional<std::uint8_t> injected_failure(BiosCall& call) {
  const unsigned number = call.bios.transfers++;
  for (const DiskFailure& failure : call.bios.settings.disk_failures) {
    const bool is_its_drive = !failure.drive || failure.drive == call.call.before.dl();
    if (is_its_drive && number >= failure.after && number - failure.after < failure.times) {
      return failure.status;
    }
  }
  return std::nullopt;
}

// Moves sectors; returns how many of them were moved before one was not to be had.
std::uint64_t move(BiosCall& call, Disk& disk, const Transfer& transfer) {
  for (std::uint64_t i = 0; i < transfer.count; ++i) {
    const Gpa at = transfer.memory + i * Disk::kSectorSize;
    if (transfer.lba + i >= disk.sectors()) return i;
    if (transfer.operation == Operation::kRead) {
      call.write(at, disk.read(transfer.lba + i));
    } else if (transfer.operation == Operation::kWrite) {
      Disk::Sector sector;
      sector.fill(0xFF);
      if (call.memory().is_ram(at, sector.size())) {
        sector = call.memory().read<Disk::Sector>(at);
      }
      disk.write(transfer.lba + i, sector);
    }
  }
  return transfer.count;
}

// Returns the status and tells how many sectors were moved.
std::uint8_t carry_out(BiosCall& call, Disk& disk, const Transfer& transfer, std::uint64_t& moved) {
  call.call.name = fmt::format("{} {} sector{} from {} of drive {:#x}{}", name(transfer.operation),
                               transfer.count, transfer.count == 1 ? "" : "s", transfer.lba,
                               call.call.before.dl(),
                               transfer.operation == Operation::kVerify
                                   ? ""
                                   : fmt::format(", memory {}", to_string(transfer.memory)));
  moved = 0;
  if (const auto failure = injected_failure(call)) return *failure;
  moved = move(call, disk, transfer);
  if (moved > 0 && transfer.operation != Operation::kVerify) {
    call.call.transfer = DiskTransfer{.drive = call.call.before.dl(),
                                      .lba = transfer.lba,
                                      .count = moved,
                                      .memory = transfer.memory,
                                      .is_write = transfer.operation == Operation::kWrite};
  }
  return moved == transfer.count ? kDone : kSectorNotFound;
}

void transfer_by_chs(BiosCall& call, Operation operation) {
  Registers& r = call.registers();
  call.call.name = fmt::format("{} sectors", name(operation));
  Disk* const disk = disk_of(call);
  const std::uint8_t count = r.al();
  r.set_al(0);
  if (disk == nullptr) return end_with(call, kNotReady);
  const DiskGeometry geometry = disk->geometry();
  const unsigned sector = r.cl() & 0x3FU;
  const unsigned cylinder = r.ch() | (r.cl() & 0xC0U) << 2U;
  const unsigned head = r.dh();
  constexpr unsigned kMostSectors = 128;
  if (count == 0 || count > kMostSectors) return end_with(call, kBadCommand);
  if (sector == 0 || sector > geometry.sectors || head >= geometry.heads ||
      cylinder >= geometry.cylinders) {
    return end_with(call, kSectorNotFound);
  }
  const Gpa memory = call.address(r.es, r.bx());
  // A floppy's DMA controller counts in 64 KiB of physical addresses.
  constexpr std::uint64_t kDmaPage = 0x10000;
  const std::uint64_t bytes = count * Disk::kSectorSize;
  if (r.dl() < kFirstHardDisk && memory.value() % kDmaPage + bytes > kDmaPage) {
    return end_with(call, kDmaBoundary);
  }
  std::uint64_t moved = 0;
  const std::uint64_t lba =
      (std::uint64_t{cylinder} * geometry.heads + head) * geometry.sectors + sector - 1;
  const std::uint8_t status = carry_out(
      call, *disk, {.operation = operation, .lba = lba, .count = count, .memory = memory}, moved);
  r.set_al(static_cast<std::uint8_t>(moved));
  end_with(call, status);
}

// The disk address packet at DS:SI: size, 0, count, offset, segment, LBA (EDD-3, 8.22).
void transfer_by_packet(BiosCall& call, Operation operation) {
  const Registers& r = call.registers();
  call.call.name = fmt::format("{} sectors by a packet", name(operation));
  Disk* const disk = disk_of(call);
  const Gpa packet = call.address(r.ds, r.si());
  constexpr std::uint8_t kPacketSize = 16;
  if (!has_extensions(call) || !call.memory().is_ram(packet, kPacketSize)) {
    refuse(call);
    return end_with(call, kBadCommand);
  }
  if (disk == nullptr) return end_with(call, kNotReady);
  struct Packet {
    std::uint8_t size, zero;
    std::uint16_t count, offset, segment;
    std::uint64_t lba;
  };
  const auto read = call.memory().read<Packet>(packet);
  constexpr std::uint16_t kMostSectors = 128;
  if (read.size < kPacketSize || read.count > kMostSectors) {
    return end_with(call, kBadCommand);
  }
  if (operation == Operation::kSeek) {
    return end_with(call, read.lba < disk->sectors() ? kDone : kSectorNotFound);
  }
  std::uint64_t moved = 0;
  const Gpa memory = call.address(Segment::real_mode(read.segment), read.offset);
  const std::uint8_t status = carry_out(
      call, *disk, {.operation = operation, .lba = read.lba, .count = read.count, .memory = memory},
      moved);
  call.memory().write<std::uint16_t>(packet + 2, static_cast<std::uint16_t>(moved));
  end_with(call, status);
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

}  // namespace

void serve_disk(BiosCall& call) {
  switch (call.call.before.ah()) {
    case 0x09:
    case 0x0C:
    case 0x0D:
    case 0x10:
    case 0x11:
    case 0x14:
      return prepare_hard_disk(call);
    case 0x00:
      call.call.name = "reset the disks";
      return end_with(call, disk_of(call) != nullptr ? kDone : kBadCommand);
    case 0x01:
      return tell_status(call);
    case 0x02:
      return transfer_by_chs(call, Operation::kRead);
    case 0x03:
      return transfer_by_chs(call, Operation::kWrite);
    case 0x04:
      return transfer_by_chs(call, Operation::kVerify);
    case 0x08:
      return tell_parameters(call);
    case 0x15:
      return tell_type(call);
    case 0x41:
      return tell_extensions(call);
    case 0x42:
      return transfer_by_packet(call, Operation::kRead);
    case 0x43:
      return transfer_by_packet(call, Operation::kWrite);
    case 0x44:
      return transfer_by_packet(call, Operation::kVerify);
    case 0x47:
      return transfer_by_packet(call, Operation::kSeek);
    case 0x48:
      return tell_extended_parameters(call);
    default:
      refuse(call);
      end_with(call, kBadCommand);
  }
}

}  // namespace hltest::internal
