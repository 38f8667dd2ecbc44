// INT 13h: disks, by cylinder, head and sector, and by packets (EDD).
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "bios/disk_calls.h"
#include "x86/counted.h"

namespace hltest::internal {
namespace {

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
      call.read(at, sector);
      disk.write(transfer.lba + i, sector);
    }
  }
  return transfer.count;
}

// `read 2 sectors`
std::string name_of(Operation operation, std::uint64_t count) {
  return fmt::format("{} {}", name(operation), counted(count, "sector"));
}

// Returns the status and tells how many sectors were moved.
std::uint8_t carry_out(BiosCall& call, Disk& disk, const Transfer& transfer, std::uint64_t& moved) {
  call.call.name =
      fmt::format("{} from {} of drive {:#x}{}", name_of(transfer.operation, transfer.count),
                  transfer.lba, call.call.before.dl(),
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
  Disk* const disk = disk_of(call);
  const std::uint8_t count = r.al();
  const unsigned sector = r.cl() & 0x3FU;
  const unsigned cylinder = r.ch() | (r.cl() & 0xC0U) << 2U;
  const unsigned head = r.dh();
  call.call.name = fmt::format("{} at cylinder {}, head {}, sector {} of drive {:#x}",
                               name_of(operation, count), cylinder, head, sector, r.dl());
  r.set_al(0);
  if (disk == nullptr) {
    call.call.name += ", which has no disk";
    return end_with(call, kNotReady);
  }
  const DiskGeometry geometry = disk->geometry();
  constexpr unsigned kMostSectors = 128;
  if (count == 0 || count > kMostSectors) return end_with(call, kBadCommand);
  if (sector == 0 || sector > geometry.sectors || head >= geometry.heads ||
      cylinder >= geometry.cylinders) {
    call.call.name += fmt::format(", which has {} cylinders, {} heads and {} sectors",
                                  geometry.cylinders, geometry.heads, geometry.sectors);
    return end_with(call, kSectorNotFound);
  }
  const Gpa memory = call.address(r.es, r.bx());
  // A floppy's DMA controller counts in 64 KiB of physical addresses.
  constexpr std::uint64_t kDmaPage = 0x10000;
  const std::uint64_t bytes = count * Disk::kSectorSize;
  if (r.dl() < kFirstHardDisk && memory.value() % kDmaPage + bytes > kDmaPage) {
    call.call.name += fmt::format(", memory {}: across 64 KiB", to_string(memory));
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
  if (disk == nullptr) {
    call.call.name += fmt::format(" of drive {:#x}, which has no disk", r.dl());
    return end_with(call, kNotReady);
  }
  struct Packet {
    std::uint8_t size, zero;
    std::uint16_t count, offset, segment;
    std::uint64_t lba;
  };
  const auto read = call.memory().read<Packet>(packet);
  constexpr std::uint16_t kMostSectors = 128;
  call.call.name = fmt::format("{} from {} of drive {:#x} by a packet of {} bytes",
                               name_of(operation, read.count), read.lba, r.dl(), read.size);
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
