#include "cli/options.h"
#include <hltest/machine.h>
#include <hltest/memory_layout.h>
#include <hltest/version.h>
#include "cli/file.h"
#include "cli/number.h"
#include "cli/usage_error.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace hltest::cli {
namespace {

constexpr std::uint64_t kMost64 = std::numeric_limits<std::uint64_t>::max();

/// The texts of `hltest run`'s options, before they mean anything.
struct RunTexts {
  std::string file;
  std::string mode = "real";
  std::optional<std::string> load;
  std::optional<std::string> entry;
  std::optional<std::string> memory;
  std::vector<std::string> set;
  std::vector<std::string> in;
  std::optional<std::string> timeout;
  bool json = false;
  bool boot = false;
  bool floppy = false;
  bool write = false;
  bool hostile = false;
  std::vector<std::string> disks;
  std::optional<std::string> keys;
  std::vector<std::string> include;
  std::vector<std::string> define;
};

// `\n`, `\b`, `\t`, `\e` (Escape) and `\\`, as a shell passes them.
std::string unescape_keys(const std::string& text) {
  std::string keys;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      keys += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    constexpr std::string_view kNames = "nbte\\";
    constexpr std::string_view kKeys = "\n\b\t\x1b\\";
    const std::size_t key = kNames.find(next);
    if (key == std::string_view::npos || next == '\0') {
      throw UsageError(fmt::format("--keys {}: after a backslash n, b, t, e or a backslash", text));
    }
    keys += kKeys[key];
  }
  return keys;
}

std::optional<RunOptions::Boot> parse_boot(const RunTexts& texts) {
  if (!texts.boot) {
    const char* const without = texts.floppy           ? "--floppy"
                                : texts.write          ? "--write"
                                : texts.hostile        ? "--hostile"
                                : texts.keys           ? "--keys"
                                : !texts.disks.empty() ? "--disk"
                                                       : nullptr;
    if (without == nullptr) return std::nullopt;
    throw UsageError(fmt::format("{} is for a guest that boots: give --boot too", without));
  }
  if (texts.mode != "real" || texts.load || texts.entry) {
    throw UsageError(
        "--boot: a guest boots in real mode at 0x7c00, without --mode, --load, --entry");
  }
  if (texts.json && texts.hostile) {
    throw UsageError("--hostile prints a table: leave out --json");
  }
  if (texts.write && texts.hostile) {
    throw UsageError("--hostile boots many times, and can't write to FILE: leave out --write");
  }
  if (texts.write && is_nasm_source(texts.file)) {
    throw UsageError("--write: the disk is assembled from a source, and can't be written to");
  }
  return RunOptions::Boot{.is_floppy = texts.floppy,
                          .disks = texts.disks,
                          .keys = unescape_keys(texts.keys.value_or("")),
                          .write = texts.write,
                          .hostile = texts.hostile};
}

CpuMode parse_mode(const std::string& text) {
  if (text == "real") return CpuMode::kReal16;
  if (text == "protected") return CpuMode::kProtected32;
  if (text == "long") return CpuMode::kLong64;
  throw UsageError(fmt::format("--mode: '{}' is none of real, protected and long", text));
}

// NAME=VALUE in its two parts.
std::pair<std::string, std::string> split(const std::string& option, const std::string& text,
                                          const char* form) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError(fmt::format("{} {}: write it as {}", option, text, form));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// 0x60=1c9c, or 0x64=1c...: the last byte again and again.
void add_port_input(const std::string& text, std::map<Port, PortInput>& input) {
  const auto [port, hex] = split("--in", text, "PORT=HEXBYTES, like 0x60=1c9c");
  const auto number = static_cast<Port>(parse_number("--in", port, 0xFFFF));
  const bool is_decimal = !port.starts_with("0x") && !port.starts_with("0X");
  if (is_decimal && number > 9) {
    throw UsageError(
        fmt::format("--in {}: is the port hexadecimal? Write 0x{}, or {:#x} for the decimal number",
                    text, port, number));
  }
  constexpr std::string_view kRepeats = "...";
  PortInput& one = input[number];
  if (one.repeats) {
    throw UsageError(
        fmt::format("--in {}: a byte repeats at this port, and nothing comes after it", text));
  }
  one.repeats = hex.ends_with(kRepeats);
  const std::string digits = one.repeats ? hex.substr(0, hex.size() - kRepeats.size()) : hex;
  const std::vector<std::uint8_t> more = parse_hex_bytes("--in " + port, digits);
  one.bytes.insert(one.bytes.end(), more.begin(), more.end());
}

RunOptions parse_texts(const RunTexts& texts) {
  RunOptions options;
  options.file = texts.file;
  options.mode = parse_mode(texts.mode);
  options.json = texts.json;
  options.boot = parse_boot(texts);
  for (const std::string& folder : texts.include)
    options.nasm_options.push_back("-I" + folder + "/");
  for (const std::string& macro : texts.define) options.nasm_options.push_back("-D" + macro);
  if (texts.load) options.load_address = Gpa{parse_number("--load", *texts.load, kMost64)};
  if (texts.entry) options.entry = Gva{parse_number("--entry", *texts.entry, kMost64)};
  if (texts.memory) options.memory_size = parse_size("--memory", *texts.memory);
  options.timeout = Machine::kDefaultTimeout;
  if (texts.timeout) {
    // More than a machine takes: it says so itself, in milliseconds.
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 1'000'000;
    options.timeout = std::chrono::milliseconds{
        std::min(parse_number("--timeout", *texts.timeout, kMost64), kMost)};
  }
  for (const std::string& text : texts.set) {
    const auto [name, value] = split("--set", text, "REG=VALUE, like ax=2");
    options.registers.emplace_back(name, parse_number("--set " + name, value, kMost64));
  }
  for (const std::string& text : texts.in) {
    add_port_input(text, options.port_input);
  }
  return options;
}

// An option that may be given several times, with one value each time.
void add_repeated(CLI::App& command, const char* name, std::vector<std::string>& values,
                  const char* description, const char* type) {
  command.add_option(name, values, description)
      ->type_name(type)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

std::variant<RunOptions, Information> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{"hltest: runs code for the bare CPU in a virtual machine", "hltest"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "hltest " HLTEST_VERSION);
  RunTexts texts;
  CLI::App* const run = app.add_subcommand("run",
                                           "Runs FILE to HLT and tells how it ended: exit status 0 "
                                           "if it halted, 1 if it ended any other "
                                           "way, 2 if it could not be run");
  run->add_option("FILE", texts.file,
                  "a flat binary (- is standard input), or NASM source if it ends in .asm or .nasm "
                  "(assembled by nasm -f bin)")
      ->required();
  run->add_option("--mode", texts.mode, "the mode it starts in: real, protected or long [real]")
      ->type_name("MODE");
  run->add_option("--load", texts.load, "the address to load it at [the source's org, or 0x1000]")
      ->type_name("ADDR");
  run->add_option("--entry", texts.entry, "the address of its first instruction [that of --load]")
      ->type_name("ADDR");
  run->add_option("--memory", texts.memory, "the size of the guest's memory, like 64K or 2G [16M]")
      ->type_name("SIZE");
  add_repeated(*run, "--set", texts.set, "a register or part of one to start with, like ax=2",
               "REG=VALUE");
  add_repeated(
      *run, "--in", texts.in,
      "bytes that IN reads from a port, like 0x60=1c9c; with ... after them, the last again and "
      "again",
      "PORT=HEXBYTES");
  run->add_flag("--boot", texts.boot,
                "FILE is a disk image, or a source of one: boot from it, with a BIOS");
  run->add_flag("--floppy", texts.floppy, "with --boot: FILE is a floppy, in drive 0");
  add_repeated(*run, "--disk", texts.disks, "with --boot: the image of a further hard disk",
               "FILE");
  run->add_option("--keys", texts.keys, "with --boot: what is typed; \\n is Enter, \\e Escape")
      ->type_name("TEXT");
  run->add_flag("--write", texts.write,
                "with --boot: what the guest writes goes to FILE, not to a copy");
  run->add_flag("--hostile", texts.hostile,
                "with --boot: once in each state that BIOSes leave, and a table of what changed");
  add_repeated(*run, "-I", texts.include, "a folder for NASM's %include and incbin", "DIR");
  add_repeated(*run, "-D", texts.define, "a macro for NASM", "NAME=VALUE");
  run->add_option("--timeout", texts.timeout, "milliseconds after which it is stopped [5000]")
      ->type_name("MS");
  run->add_flag("--json", texts.json, "print one JSON object instead of the report");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Information{
        app.help("", run->parsed() ? CLI::AppFormatMode::Sub : CLI::AppFormatMode::Normal)};
  } catch (const CLI::CallForVersion&) {
    return Information{app.version() + "\n"};
  } catch (const CLI::RequiredError&) {
    // CLI11 tells of what is missing, and not of what is there instead.
    if (argc > 1 && argv[1][0] != '-' && std::string_view{argv[1]} != "run") {
      throw UsageError(fmt::format("there is no command '{}': the commands are: run", argv[1]));
    }
    throw UsageError(run->parsed() ? "FILE is required (see hltest run --help)"
                                   : "a command is required: run (see hltest run --help)");
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{} (see hltest run --help)", error.what()));
  }
  return parse_texts(texts);
}

}  // namespace hltest::cli
