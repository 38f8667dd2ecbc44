#include "cli/run_command.h"
#include <hltest/diagnosis.h>
#include <hltest/machine.h>
#include <hltest/x86/register_name.h>
#include "cli/assemble.h"
#include "cli/boot.h"
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
  const bool is_source = is_nasm_source(options.file);
  check_file(options.file, is_source ? kAnySize : memory.size());
  if (!is_source) check_is_flat(options.file);
  FlatImage image =
      is_source ? assemble(options.file, options.mode, options.load_address, options.nasm_options)
                : FlatImage{std::filesystem::path{options.file}.filename().string(),
                            read_file(options.file), options.load_address};
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

}  // namespace

Machine machine_of(const RunOptions& options) {
  Machine machine{options.mode};
  if (options.memory_size.has_value()) machine.set_memory_size(*options.memory_size);
  machine.set_timeout(options.timeout);
  set_registers(options, machine);
  for (const auto& [port, bytes] : options.port_input) {
    machine.ports().on_in(port, AnswerBytes{bytes});
  }
  return machine;
}

RunResult run_command(const RunOptions& options) {
  if (options.boot && options.boot->hostile) return boot_hostile(options);
  Machine machine = machine_of(options);
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
