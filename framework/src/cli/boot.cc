#include "cli/boot.h"

#include <fmt/format.h>

#include <hltest/hostile_bios.h>

#include "cli/assemble.h"
#include "cli/disk_file.h"
#include "cli/file.h"
#include "cli/usage_error.h"

namespace hltest::cli {
namespace {

Disk disk_to_boot(const RunOptions& options) {
  if (options.file == kStandardInput) {
    throw UsageError(
        "--boot: a guest boots from a file, which is read as the guest reads it: not from standard "
        "input (-)");
  }
  if (options.boot->write) check_can_be_written(options.file);
  if (!is_nasm_source(options.file)) {
    Disk disk = disk_of(options.file);
    check_is_flat(options.file);
    return disk;
  }
  check_file(options.file, kAnySize);
  return Disk{sector(assemble(options.file, CpuMode::kReal16, kBootAddress, options.nasm_options))};
}

bool boots_from_floppy(const RunOptions& options, const Disk& disk) {
  // An assembled one has the size that its sectors need, which says nothing.
  const bool is_image = !is_nasm_source(options.file);
  return options.boot->is_floppy || (is_image && disk.has_floppy_size());
}

// Puts the disks into their drives, and the keys.
void set_up(const RunOptions& options, const Disk& disk, Drive drive, Machine& machine) {
  constexpr std::size_t kMost = 0x100 - kFirstHardDisk;
  const std::size_t hard_disks =
      options.boot->disks.size() + (drive < kFirstHardDisk ? 0 : std::size_t{1});
  if (hard_disks > kMost) {
    throw UsageError(fmt::format("--disk: {} hard disks: a BIOS has numbers for {}, 0x80 to 0xff",
                                 hard_disks, kMost));
  }
  machine.insert(drive, disk);
  auto next = static_cast<Drive>(drive < kFirstHardDisk ? kFirstHardDisk : drive + 1);
  for (const std::string& path : options.boot->disks) machine.insert(next++, disk_of(path));
  machine.bios().keys = options.boot->keys;
}

// What of an outcome has to be the same in each state.
std::string difference(const Outcome& usual, const Outcome& outcome) {
  if (outcome.stop.index() != usual.stop.index()) return "ends otherwise";
  if (outcome.screen().rows != usual.screen().rows) return "another screen";
  if (outcome.console() != usual.console()) return "prints something else";
  return {};
}

}  // namespace

Outcome boot(const RunOptions& options, Machine& machine) {
  const Disk disk = disk_to_boot(options);
  const Drive drive = boots_from_floppy(options, disk) ? kFirstFloppy : kFirstHardDisk;
  set_up(options, disk, drive, machine);
  Outcome outcome = machine.boot(drive);
  if (options.boot->write) write_back(outcome.disks.at(drive), options.file);
  return outcome;
}

RunResult boot_hostile(const RunOptions& options) {
  const Disk disk = disk_to_boot(options);
  const Drive drive = boots_from_floppy(options, disk) ? kFirstFloppy : kFirstHardDisk;
  std::optional<Outcome> usual;
  std::string table;
  unsigned broken = 0;
  for (const BiosState& state : hostile_bios_states(drive)) {
    Machine machine = machine_of(options);
    set_up(options, disk, state.drive, machine);
    state.prepare(machine);
    const Outcome outcome = machine.boot(state.drive, state.registers);
    if (!usual && std::holds_alternative<Timeout>(outcome.stop)) {
      return {
          .output = fmt::format("{}\nIt does not end in the usual state, so the others were left "
                                "out.\n",
                                summary(outcome)),
          .status = 1};
    }
    if (!usual) usual = outcome;
    const std::string what = difference(*usual, outcome);
    if (!what.empty()) ++broken;
    const bool is_right = what.empty() && outcome.halted();
    table += fmt::format("{:<32}  {}{}\n", state.name, what.empty() ? "the same" : what,
                         is_right ? "" : ": " + summary(outcome));
  }
  table += broken == 0
               ? "It does not depend on what the BIOS leaves.\n"
               : fmt::format("It depends on what the BIOS leaves in {} of these.\n", broken);
  return {.output = std::move(table), .status = broken == 0 && usual->halted() ? 0 : 1};
}

}  // namespace hltest::cli
