#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hltest::internal {

/// A line of NASM's listing, split into its columns.
struct NasmLine {
  unsigned number = 0;                                 ///< in the source file
  std::optional<std::uint64_t> offset = std::nullopt;  ///< in the section
  std::string_view bytes{};                            ///< as NASM prints them
  std::size_t depth = 0;                               ///< of %include and macros
  std::string_view text{};                             ///< the source, without blanks around it
};

/// Splits a line of a listing; nothing if it is not one, or is one of NASM's warnings.
std::optional<NasmLine> split_listing_line(std::string_view line);

/// How many bytes a bytes column stands for, and those among them that have known values: the
/// ones before the first that depends on the address of a label.
struct ListedBytes {
  std::uint64_t size = 0;
  std::vector<std::uint8_t> known{};
};

/// Reads a bytes column; nothing if the line makes no bytes.
std::optional<ListedBytes> read_listed_bytes(std::string_view column);

/// The file that an %include names; nothing for any other line.
std::optional<std::string> included_file(std::string_view text);

/// The section that a line changes to; empty for `absolute`, which makes no bytes.
std::optional<std::string> changed_section(std::string_view text);

/// The value that a line changes `bits` to.
std::optional<unsigned> changed_bits(std::string_view text);

}  // namespace hltest::internal
