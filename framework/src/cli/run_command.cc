#include "cli/run_command.h"
#include <hltest/diagnosis.h>
#include <hltest/machine.h>
#include <hltest/x86/register_name.h>
#include "cli/assemble.h"
#include "cli/disk_file.h"
#include "cli/file.h"
#include "diagnosis/colour.h"
#include "diagnosis/json.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace hltest::cli {
namespace {

FlatImage load_image(const RunOptions& options, const GuestMemory& memory) {
  check_file(options.file, memory.size());
  const std::filesystem::path path{options.file};
  FlatImage image =
      path.extension() == ".asm"
          ? assemble(options.file, options.mode, options.load_address, options.nasm_options)
          : FlatImage{path.filename().string(), read_file(options.file), options.load_address};
  if (options.entry.has_value()) image.set_entry(*options.entry);
  return image;
}

void set_registers(const RunOptions& options, Machine& machine) {
  for (const auto& [name, value] : options.registers) {
    try {
      machine.registers().set(name, value, options.mode);
    } catch (const RegisterError& error) {
      throw RegisterError(fmt::format("--set {}={:#x}: {}", name, value, error.what()));
    }
  }
}

Disk disk_to_boot(const RunOptions& options) {
  if (!options.file.ends_with(".asm")) return disk_of(options.file);
  constexpr std::uint64_t kAnySize = ~0ULL;
  check_file(options.file, kAnySize);
  constexpr Gpa kBootAddress{0x7C00};
  return Disk{sector(assemble(options.file, CpuMode::kReal16, kBootAddress, options.nasm_options))};
}

Outcome boot(const RunOptions& options, Machine& machine) {
  const Disk disk = disk_to_boot(options);
  // An assembled one has the size that its sectors need, which says nothing.
  const bool is_image = !options.file.ends_with(".asm");
  const bool is_floppy = options.boot->is_floppy || (is_image && disk.has_floppy_size());
  const Drive drive = is_floppy ? kFirstFloppy : kFirstHardDisk;
  machine.insert(drive, disk);
  auto next = static_cast<Drive>(is_floppy ? kFirstHardDisk : kFirstHardDisk + 1);
  for (const std::string& path : options.boot->disks) machine.insert(next++, disk_of(path));
  machine.bios().keys = options.boot->keys;
  Outcome outcome = machine.boot(drive);
  if (options.boot->write) write_back(outcome.disks.at(drive), options.file);
  return outcome;
}

}  // namespace

RunResult run_command(const RunOptions& options) {
  Machine machine{options.mode};
  if (options.memory_size.has_value()) machine.set_memory_size(*options.memory_size);
  machine.set_timeout(options.timeout);
  set_registers(options, machine);
  for (const auto& [port, bytes] : options.port_input) {
    machine.ports().on_in(port, AnswerBytes{bytes});
  }

  const Outcome outcome =
      options.boot ? boot(options, machine) : machine.run(load_image(options, machine.memory()));
  const Diagnosis diagnosis = diagnose(outcome);

  std::string output;
  if (options.json) {
    output = internal::to_json(diagnosis, outcome) + "\n";
  } else {
    output =
        internal::takes_colour(STDOUT_FILENO) ? to_coloured_text(diagnosis) : to_text(diagnosis);
  }
  return {.output = std::move(output), .status = outcome.halted() ? 0 : 1};
}

}  // namespace hltest::cli
