#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hltest {

namespace internal {
struct NasmMap;
}  // namespace internal

/// A line of a guest's source, as its author wrote it. For code from a macro, the line that calls
/// the macro.
struct SourceLine {
  std::string file;  ///< without folders
  unsigned line = 0;
  std::string text;  ///< without the spaces around it
  friend bool operator==(const SourceLine&, const SourceLine&) = default;
};

/// A label: its offset in the image, and its value in the source. Constants (`equ`) and labels in
/// an `absolute` section have no offset.
struct Symbol {
  std::string name;
  std::uint64_t value = 0;
  std::optional<std::uint64_t> offset = std::nullopt;
};

/// Which source line of an image made which bytes, and where its labels are. A value: any number of
/// threads may read one.
class SourceMap {
 public:
  SourceMap() = default;
  /// Reads NASM's listing (`-l`) and map file (`[map all]`) of the flat image `bytes`. `main_file`
  /// is the source's name. Skips what it cannot read, and listing lines whose bytes differ from the
  /// image.
  SourceMap(std::string_view main_file, std::string_view listing, std::string_view map,
            std::span<const std::uint8_t> bytes);

  /// The line that made the byte at `offset` of the image; nothing where that is not known.
  [[nodiscard]] std::optional<SourceLine> line_at(std::uint64_t offset) const;
  /// Where the code begins that continues without a gap up to `offset`: at the start of a line,
  /// after the last change of `bits`, and at most `most_before` bytes before `offset`. Nothing
  /// where the line at `offset` is not known or begins earlier than that.
  [[nodiscard]] std::optional<std::uint64_t> code_start(std::uint64_t offset,
                                                        std::uint64_t most_before) const;
  /// The source's `bits` for the code at `offset`: 16, 32 or 64. Nothing where the line is not
  /// known or no earlier line sets `bits`.
  [[nodiscard]] std::optional<unsigned> bits_at(std::uint64_t offset) const;
  /// The last label at or before `offset` and the distance from it, such as `load_kernel+0x5`;
  /// empty where there is none.
  [[nodiscard]] std::string label_at(std::uint64_t offset) const;
  /// The label or constant of this name. A local label has its global label in front, as in
  /// `start.loop`, unless it is defined before the first global label.
  [[nodiscard]] std::optional<Symbol> symbol(std::string_view name) const;
  /// In the order of NASM's map.
  [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }
  /// The source's `org`; 0 without one.
  [[nodiscard]] std::uint64_t origin() const { return origin_; }

 private:
  struct Entry {
    std::uint64_t offset;
    std::uint64_t size;
    SourceLine line;
    bool follows_bits;  ///< the first after a change of `bits`
    std::optional<unsigned> bits;
  };

  void read_listing(std::string_view main_file, std::string_view listing,
                    const internal::NasmMap& map, std::span<const std::uint8_t> bytes);
  void index_symbols();
  [[nodiscard]] std::vector<Entry>::const_iterator entry_at(std::uint64_t offset) const;

  std::vector<Entry> entries_;  // by offset
  std::vector<Symbol> symbols_;
  std::vector<std::size_t> by_name_;  // all symbols
  std::vector<std::size_t> labels_;   // those with an offset, by offset
  std::uint64_t origin_ = 0;
};

}  // namespace hltest
