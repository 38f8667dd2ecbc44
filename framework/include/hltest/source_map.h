#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hltest {

/// A line of a guest's source, as its author wrote it: for code that a macro made, the line that
/// calls the macro.
struct SourceLine {
  std::string file;  ///< without folders
  unsigned line = 0;
  std::string text;  ///< without the spaces around it
  friend bool operator==(const SourceLine&, const SourceLine&) = default;
};

/// A label: an offset in the image, and its value as the source sees it. A constant (`equ`) and a
/// label in an `absolute` section have no offset.
struct Symbol {
  std::string name;
  std::uint64_t value = 0;
  std::optional<std::uint64_t> offset = std::nullopt;
};

/// What NASM tells of an image: which source line made which bytes, and where the labels are.
class SourceMap {
 public:
  SourceMap() = default;
  /// Reads NASM's listing (`-l`) and map file (`[map all]`) of the flat image `bytes`. `main_file`
  /// is the source's name. What it can't read it leaves out; lines whose bytes are not those of the
  /// image it does not believe.
  SourceMap(std::string_view main_file, std::string_view listing, std::string_view map,
            std::span<const std::uint8_t> bytes);

  /// The line that made the byte at `offset` of the image; nothing where that is not known.
  [[nodiscard]] std::optional<SourceLine> line_at(std::uint64_t offset) const;
  /// Where code begins that runs on to `offset`, at most `most_before` bytes before it: behind the
  /// last change of `bits`, at the start of a line. Nothing where the line is not known, or itself
  /// begins before that.
  [[nodiscard]] std::optional<std::uint64_t> code_start(std::uint64_t offset,
                                                        std::uint64_t most_before) const;
  /// What `bits` says of the code at `offset`: 16, 32 or 64; nothing where no line before says it,
  /// or the line is not known.
  [[nodiscard]] std::optional<unsigned> bits_at(std::uint64_t offset) const;
  /// The last label at or before `offset`, and how far behind it: `load_kernel+0x5`; empty where
  /// there is none.
  [[nodiscard]] std::string label_at(std::uint64_t offset) const;
  /// The label or constant of this name, as NASM knows it (`start.loop` for a local one).
  [[nodiscard]] std::optional<Symbol> symbol(std::string_view name) const;
  /// In the order of NASM's map.
  [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }
  /// What `org` said; 0 without one.
  [[nodiscard]] std::uint64_t origin() const { return origin_; }

 private:
  struct Entry {
    std::uint64_t offset;
    std::uint64_t size;
    SourceLine line;
    bool follows_bits;  ///< the first behind a change of `bits`
    std::optional<unsigned> bits;
  };

  [[nodiscard]] std::vector<Entry>::const_iterator entry_at(std::uint64_t offset) const;

  std::vector<Entry> entries_;  // by offset
  std::vector<Symbol> symbols_;
  std::uint64_t origin_ = 0;
};

}  // namespace hltest
