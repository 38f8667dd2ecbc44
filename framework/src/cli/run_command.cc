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

// The source's org, where nobody says where it is loaded; 0x1000 where that is not in memory.
void load_where_it_belongs(const RunOptions& options, const GuestMemory& memory, FlatImage& image) {
  const Gpa origin{image.source_map().origin()};
  if (origin == Gpa{0} || origin == image.load_address()) return;
  if (!options.load_address && memory.is_ram(origin, image.bytes().size())) {
    image.set_load_address(origin);
    return;
  }
  fmt::print(stderr, "note: {} has org {}, and is loaded at {}\n", image.name(), to_string(origin),
             to_string(image.load_address()));
}

FlatImage load_image(const RunOptions& options, const GuestMemory& memory) {
  const Gpa load_address = options.load_address.value_or(kLoadAddress);
  if (options.file == kStandardInput) {
    return {"standard input", read_standard_input(memory.size()), load_address};
  }
  if (is_nasm_source(options.file)) {
    check_file(options.file, kAnySize);
    FlatImage image = assemble(options.file, options.mode, load_address, options.nasm_options);
    load_where_it_belongs(options, memory, image);
    return image;
  }
  check_file(options.file, memory.size());
  check_is_flat(options.file);
  return {std::filesystem::path{options.file}.filename().string(), read_file(options.file),
          load_address};
}

Outcome run_image(const RunOptions& options, Machine& machine) {
  FlatImage image = load_image(options, machine.memory());
  if (options.entry.has_value()) image.set_entry(*options.entry);
  return machine.run(image);
}

// What IN reads of these bytes, the last of them again and again.
auto repeating(const std::vector<std::uint8_t>& bytes) {
  return [bytes, next = std::size_t{0}](const Access& access) mutable {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < access.size; ++i) {
      value |= std::uint64_t{bytes.at(next)} << (8 * i);
      if (next + 1 < bytes.size()) ++next;
    }
    return value;
  };
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
  for (const auto& [port, input] : options.port_input) {
    if (input.repeats) {
      machine.ports().on_in(port, repeating(input.bytes));
    } else {
      machine.ports().on_in(port, AnswerBytes{input.bytes});
    }
  }
  return machine;
}

RunResult run_command(const RunOptions& options) {
  if (options.boot && options.boot->hostile) return boot_hostile(options);
  Machine machine = machine_of(options);
  const Outcome outcome = options.boot ? boot(options, machine) : run_image(options, machine);
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
