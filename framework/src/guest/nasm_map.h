#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/source_map.h>

namespace hltest::internal {

/// A section with bytes in NASM's map file.
struct NasmSection {
  std::string name;
  std::uint64_t offset;  ///< in the image
};

/// A label or constant in NASM's map file.
struct NasmSymbol {
  Symbol symbol;
  std::size_t group;  ///< the same for the symbols of one section, and for those in no section
};

/// What NASM's map file (`[map all]`) says about a flat image. Within a group, symbols are in the
/// order in which the source defines them.
struct NasmMap {
  std::uint64_t origin = 0;
  std::vector<NasmSection> sections{};
  std::vector<NasmSymbol> symbols{};
};

/// Reads a map file. Skips lines that it cannot read.
NasmMap read_nasm_map(std::string_view text);

}  // namespace hltest::internal
