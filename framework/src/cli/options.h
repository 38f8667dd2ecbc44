#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <hltest/access.h>
#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest::cli {

/// What IN reads from a port.
struct PortInput {
  std::vector<std::uint8_t> bytes{};
  bool repeats = false;  ///< the last byte, from then on
};

/// What `hltest run` was asked to do.
struct RunOptions {
  std::string file;
  CpuMode mode = CpuMode::kReal16;
  std::optional<Gpa> load_address;
  std::optional<Gva> entry;
  std::optional<std::uint64_t> memory_size;
  std::vector<std::pair<std::string, std::uint64_t>> registers;
  std::map<Port, PortInput> port_input;
  std::chrono::milliseconds timeout{};
  bool json = false;

  /// What only a guest that boots has.
  struct Boot {
    bool is_floppy = false;
    std::vector<std::string> disks;  ///< further hard disks
    std::string keys;
    bool write = false;
    bool hostile = false;  ///< in every state that a BIOS may leave
  };
  std::optional<Boot> boot;  ///< with --boot
  /// What NASM is given besides: `-I` and `-D` with their values.
  std::vector<std::string> nasm_options;
};

/// Text that the user asked for, such as --help: print it and be done.
struct Information {
  std::string text;
};

/// Reads the command line. Throws `UsageError`.
std::variant<RunOptions, Information> parse_command_line(int argc, const char* const* argv);

}  // namespace hltest::cli
