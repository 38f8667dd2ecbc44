#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hltest::cli {

/// A size that no file is too large for.
inline constexpr std::uint64_t kAnySize = ~0ULL;

/// Throws `UsageError` where `path` is not a file that can be read, holds nothing, or more than
/// `memory_size` bytes.
void check_file(const std::string& path, std::uint64_t memory_size);

/// True for a source that NASM assembles: its name ends in .asm or .nasm, in any case of letters.
bool is_nasm_source(const std::string& path);

/// Throws `UsageError` for what is no flat binary: a source of another assembler's (.s), by its
/// name, and an ELF file, by its first bytes.
void check_is_flat(const std::string& path);

/// The name that stands for standard input.
inline constexpr std::string_view kStandardInput = "-";
/// All of standard input. Throws `UsageError` where that is nothing, or more than `memory_size`
/// bytes.
std::vector<std::uint8_t> read_standard_input(std::uint64_t memory_size);

/// All of it. Throws `UsageError`.
std::vector<std::uint8_t> read_file(const std::string& path);

}  // namespace hltest::cli
