#include "cli/file.h"
#include "cli/usage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

namespace hltest::cli {

std::vector<std::uint8_t> read_standard_input(std::uint64_t memory_size) {
  std::vector<std::uint8_t> bytes;
  std::array<char, 4096> part{};
  while (std::cin.read(part.data(), part.size()) || std::cin.gcount() > 0) {
    bytes.insert(bytes.end(), part.begin(), part.begin() + std::cin.gcount());
    if (bytes.size() > memory_size) {
      throw UsageError(
          fmt::format("standard input has more bytes than the guest's memory, {:#x}: give it more "
                      "with --memory",
                      memory_size));
    }
  }
  if (bytes.empty()) throw UsageError("standard input is empty: there is nothing to run");
  return bytes;
}

void check_file(const std::string& path, std::uint64_t memory_size) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw UsageError(
        fmt::format("can't read {}: {}", path, error ? error.message() : std::strerror(ENOENT)));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw UsageError(fmt::format("can't read {}: it is not a file", path));
  }
  errno = 0;
  if (!std::ifstream{path, std::ios::binary}) {
    throw UsageError(fmt::format("can't read {}: {}", path, std::strerror(errno)));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw UsageError(fmt::format("can't read {}: {}", path, error.message()));
  if (size == 0) throw UsageError(fmt::format("{} is empty: there is nothing to run", path));
  if (size > memory_size) {
    throw UsageError(fmt::format(
        "{} has {:#x} bytes, more than the guest's memory, {:#x}: give it more with --memory", path,
        size, memory_size));
  }
}

bool is_nasm_source(const std::string& path) {
  std::string extension = std::filesystem::path{path}.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".asm" || extension == ".nasm";
}

void check_is_flat(const std::string& path) {
  const std::string extension = std::filesystem::path{path}.extension().string();
  if (extension == ".s" || extension == ".S") {
    throw UsageError(fmt::format(
        "{} is a source, and not one of NASM's (.asm): give the flat binary that it makes", path));
  }
  std::ifstream stream{path, std::ios::binary};
  std::array<char, 4> magic{};
  stream.read(magic.data(), magic.size());
  if (std::string_view{magic.data(), magic.size()} ==
      "\x7f"
      "ELF") {
    throw UsageError(fmt::format(
        "{} is an ELF file, and runs as none: make it flat (objcopy -O binary), with --load at the "
        "address that it is linked for",
        path));
  }
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream stream{path, std::ios::binary | std::ios::ate};
  std::vector<char> bytes(stream ? static_cast<std::size_t>(stream.tellg()) : 0);
  stream.seekg(0);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    throw UsageError(fmt::format("can't read {}", path));
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace hltest::cli
