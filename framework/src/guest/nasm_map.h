#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/source_map.h>

namespace hltest {

/// A section as NASM's map file has it.
struct NasmSection {
  std::string name;
  std::uint64_t offset;  ///< in the image
};

/// What NASM's map file (`[map all]`) of a flat image says.
struct NasmMap {
  std::uint64_t origin = 0;
  std::vector<NasmSection> sections{};
  std::vector<Symbol> symbols{};
};

/// Reads a map file; what it can't read it leaves out.
NasmMap read_nasm_map(std::string_view text);

/// The next line of `text`, without its end, which is taken off `text`.
std::string_view next_line(std::string_view& text);

/// The next word of `text`, which is taken off `text`; empty at the end.
std::string_view next_word(std::string_view& text);

}  // namespace hltest
