// Any listing and map that NASM could be said to have made of any image can be asked for lines,
// code and labels: no answer is outside the image, and only a label that is not there is an error.
#include <hltest/image.h>

#include <algorithm>

#include "input.h"

namespace {

using namespace hltest;
using fuzz::require;

void check_place(const SourceMap& map, std::uint64_t offset, std::uint64_t most_before,
                 std::size_t image_size) {
  const auto line = map.line_at(offset);
  require(!line || offset < image_size, "only bytes of the image have a line");
  if (line) require(line->file.find('/') == std::string::npos, "a file is without folders");

  const auto start = map.code_start(offset, most_before);
  require(!start || line, "code is where a line is");
  require(!start || (*start <= offset && offset - *start <= most_before),
          "code begins at most so many bytes before");
  if (start) require(map.line_at(*start).has_value(), "code begins in a line");

  const bool has_label = std::ranges::any_of(map.symbols(), [offset](const Symbol& symbol) {
    return symbol.offset && *symbol.offset <= offset && !symbol.name.starts_with("..@");
  });
  require(map.label_at(offset).empty() != has_label, "the last label before is named");
}

void check_address(const FlatImage& image, const SourceMap& map, const std::string& name) {
  bool is_there = true;
  try {
    (void)image.address(name);
  } catch (const SymbolError&) {
    is_there = false;
  }
  require(is_there == map.symbol(name).has_value(), "a label has an address where there is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const auto length = [&input] { return input.ConsumeIntegral<std::uint16_t>(); };
  NasmNotes notes{.source = input.ConsumeBool() ? "boot.asm" : "folder/boot.asm"};
  notes.listing = input.ConsumeBytesAsString(length());
  notes.map = input.ConsumeBytesAsString(length());
  const auto bytes = input.ConsumeBytes<std::uint8_t>(length());
  const FlatImage image{"boot", bytes, Gpa{fuzz::number(input)}, std::move(notes)};

  const SourceMap& map = image.source_map();
  for (std::uint64_t offset = 0; offset <= std::min<std::size_t>(bytes.size(), 64); ++offset) {
    check_place(map, offset, 64, bytes.size());
  }
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t offset = fuzz::number(input);
    check_place(map, offset, fuzz::number(input), bytes.size());
  }
  check_address(image, map, "");
  check_address(image, map, "start");
  for (const Symbol& symbol : map.symbols()) check_address(image, map, symbol.name);
  return 0;
}
