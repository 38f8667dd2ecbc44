#include "cli/run_command.h"
#include <hltest/x86/register_name.h>
#include "cli/assemble.h"
#include "cli/file.h"
#include "cli/json.h"
#include "machine/machine.h"
#include "machine/report.h"
#include "machine/report_colour.h"
#include "machine/text_screen.h"
#include "trace/replay.h"

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
          ? assemble(options.file, options.mode, options.load_address)
          : FlatImage{path.filename().string(), read_file(options.file), options.load_address};
  if (options.entry.has_value()) image.set_entry(*options.entry);
  return image;
}

// The registers that the user set; RIP is kept apart because 0 is a place to start at.
StartRegisters set_registers(const RunOptions& options, Machine& machine) {
  StartRegisters start;
  for (const auto& [name, value] : options.registers) {
    try {
      Registers& registers = machine.registers();
      set_start_register(registers, name, value, options.mode);
      const std::string lower = lower_case(name);
      if (lower == "rip" || lower == "eip" || lower == "ip") start.rip = registers.rip;
    } catch (const RegisterError& error) {
      throw RegisterError(fmt::format("--set {}={:#x}: {}", name, value, error.what()));
    }
  }
  return start;
}

}  // namespace

RunResult run_command(const RunOptions& options) {
  Machine machine{options.mode};
  if (options.memory_size.has_value()) machine.set_memory_size(*options.memory_size);
  machine.set_timeout(options.timeout);
  const StartRegisters start = set_registers(options, machine);
  for (const auto& [port, bytes] : options.port_input) {
    machine.ports().on_in(port, AnswerBytes{bytes});
  }

  const FlatImage image = load_image(options, machine.memory());
  const Outcome outcome = replayed(machine.run(image, start));

  std::string output;
  if (options.json) {
    output = to_json(outcome, text_screen(machine.memory())) + "\n";
  } else {
    output = takes_colour(STDOUT_FILENO) ? coloured(report(outcome)) : report(outcome);
  }
  return {.output = std::move(output), .status = outcome.halted() ? 0 : 1};
}

}  // namespace hltest::cli
