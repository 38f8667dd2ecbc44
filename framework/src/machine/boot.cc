// A run that begins as a BIOS begins it.
#include <hltest/machine.h>

#include <fmt/format.h>

#include <hltest/error.h>

#include "bios/bios_data.h"
#include "devices/pc.h"
#include "machine/parts.h"
#include "machine/run_record.h"

namespace hltest {
namespace {

// The first sector as an image: that of the guest that the disk was made of, with its source, if
// there is one.
FlatImage boot_sector(const Disk& disk, const Disk::Sector& bytes) {
  const bool is_a_guests = !disk.parts().empty() && disk.parts().front().lba == 0 &&
                           disk.parts().front().offset == 0 && disk.written_sectors().empty();
  if (is_a_guests) {
    FlatImage image = disk.parts().front().image;
    image.keep_first(Disk::kSectorSize);
    image.set_load_address(kBootAddress);
    return image;
  }
  return {disk.name().empty() ? "boot_sector" : disk.name(),
          {bytes.begin(), bytes.end()},
          kBootAddress};
}

void check_signature(const Disk::Sector& sector, Drive drive) {
  if (sector[510] == 0x55 && sector[511] == 0xAA) return;
  throw SetupError(fmt::format(
      "drive {:#x} is not bootable: its first sector ends in {:02x} {:02x}, and a BIOS wants 55 aa "
      "(times 510-($-$$) db 0, then dw 0xaa55)",
      drive, sector[510], sector[511]));
}

// What a BIOS leaves in the registers that the test gives nothing for.
StartRegisters at_boot(const StartRegisters& of_call, const RegisterSettings& own, Drive drive) {
  constexpr std::uint64_t kStack = 0x6F00;
  StartRegisters start = of_call;
  const auto give = [](auto& value, const auto& given, std::uint64_t by_default) {
    if (!value.has_value() && !given.is_given()) value = by_default;
  };
  give(start.rax, own.rax, 0xAA55);
  give(start.rdx, own.rdx, drive);
  give(start.rsp, own.rsp, kStack);
  give(start.rflags, own.rflags, Rflags::kFixed | Rflags::kIf);
  return start;
}

// The keyboard and INT 16h take keys from the same queue.
std::optional<internal::KeyStroke> next_stroke(internal::BiosRun& bios) {
  if (bios.next_key >= bios.settings.keys.size()) return std::nullopt;
  bios.last_key = bios.settings.keys[bios.next_key++];
  return internal::key_stroke(bios.last_key);
}

internal::PcConnections connections_of(internal::BiosRun& bios) {
  return {.next_key = [&bios]() { return next_stroke(bios); },
          .serial_input = [&bios]() -> const std::string& { return bios.settings.serial_input; },
          .disk = [&bios](unsigned device) -> Disk* {
            const auto found = bios.drives.find(static_cast<Drive>(kFirstHardDisk + device));
            return found != bios.drives.end() ? &found->second : nullptr;
          }};
}

}  // namespace

void internal::MachineParts::begin_bios() {
  bios_run = {.settings = bios,
              .drives = drives,
              .pic = pc.pic,
              .keyboard = pc.keyboard,
              .com1 = pc.com1,
              .cmos = pc.cmos,
              .vga = pc.vga};
}

Bios& Machine::bios() { return parts_for("bios()").bios; }

void Machine::insert(Drive drive, Disk disk) {
  parts_for("insert()").drives.insert_or_assign(drive, std::move(disk));
}

Outcome Machine::boot(Drive drive, const StartRegisters& start) {
  internal::MachineParts& own = parts_for("boot()");
  if (own.state.mode() != CpuMode::kReal16) {
    throw SetupError(fmt::format("boot(): a guest boots in real mode, and this one starts in {}",
                                 to_string(own.state.mode())));
  }
  if (own.state.memory_size() < kMiB) {
    throw SetupError(fmt::format("boot(): a guest needs 1 MiB of memory, and this one has {:#x}",
                                 own.state.memory_size()));
  }
  constexpr unsigned kMostConventional = 640;
  if (own.bios.conventional_kib > kMostConventional) {
    throw SetupError(fmt::format("boot(): bios().conventional_kib = {}: it can be 640 at most",
                                 own.bios.conventional_kib));
  }
  const auto disk = own.drives.find(drive);
  if (disk == own.drives.end()) {
    throw SetupError(fmt::format("boot(): there is no disk in drive {:#x}: insert one", drive));
  }
  const Disk::Sector sector = disk->second.read(0);
  check_signature(sector, drive);
  const auto hard_disks = static_cast<unsigned>(
      std::distance(own.drives.lower_bound(kFirstHardDisk), own.drives.end()));
  internal::put_bios_data(own.bios, static_cast<unsigned>(own.drives.size()) - hard_disks,
                          hard_disks, own.memory);
  if (own.pc.pic == nullptr) {
    install(own.bios_run, own.services);
    own.pc = internal::attach_pc(own.bus, own.state.memory_size(), connections_of(own.bios_run));
  }

  Outcome outcome =
      run(boot_sector(disk->second, sector), at_boot(start, own.state.registers, drive));
  outcome.disks = own.bios_run.drives;
  internal::RunRecord record = *outcome.record;
  record.display = own.pc.vga->display();
  outcome.record = std::make_shared<const internal::RunRecord>(std::move(record));
  return outcome;
}

}  // namespace hltest
