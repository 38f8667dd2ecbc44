#include <hltest/source_map.h>
#include "guest/nasm_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace hltest {
namespace {

// The columns of a listing: line number, offset, bytes, depth of %include and macro, text.
constexpr std::size_t kOffsetColumn = 7;
constexpr std::size_t kBytesColumn = 16;
constexpr std::size_t kDepthColumn = 35;
constexpr std::size_t kTextColumn = 40;

std::string_view columns(std::string_view line, std::size_t from, std::size_t to) {
  return from >= line.size() ? std::string_view{} : line.substr(from, to - from);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional{value} : std::nullopt;
}

std::string without_folders(std::string_view path) {
  return std::string{path.substr(path.find_last_of('/') + 1)};
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  const auto same = [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) == right;
  };
  return std::equal(word.begin(), word.end(), text.begin(), same) &&
         (text.size() == word.size() || text[word.size()] == ' ' || text[word.size()] == '\t');
}

// The file that an %include names; nothing for any other line.
std::optional<std::string> included_file(std::string_view text) {
  if (!starts_with_word(text, "%include")) return std::nullopt;
  const std::size_t start = text.find_first_of("\"'`<");
  const std::size_t end = text.find_last_of("\"'`>");
  if (start == std::string_view::npos || end <= start) return std::nullopt;
  return without_folders(text.substr(start + 1, end - start - 1));
}

// The section that a line changes to; empty for `absolute`, which makes no bytes.
std::optional<std::string> section_change(std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(1);
  if (starts_with_word(text, "absolute")) return "";
  if (!starts_with_word(text, "section") && !starts_with_word(text, "segment")) {
    return std::nullopt;
  }
  next_word(text);
  std::string_view name = next_word(text);
  if (name.ends_with(']')) name.remove_suffix(1);
  return std::string{name};
}

// What a line changes `bits` to.
std::optional<unsigned> changed_bits(std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(1);
  for (const unsigned bits : {16U, 32U, 64U}) {
    if (starts_with_word(text, fmt::format("use{}", bits))) return bits;
  }
  if (!starts_with_word(text, "bits")) return std::nullopt;
  text = trimmed(text.substr(4));
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return number<unsigned>(text.substr(0, digits), 10);
}

// How many bytes the bytes column stands for, and those of them that it shows.
struct ListedBytes {
  std::uint64_t size = 0;
  std::vector<std::uint8_t> known{};
};

std::optional<ListedBytes> listed_bytes(std::string_view column) {
  ListedBytes bytes;
  bool are_known = true;  // up to the first that depends on where a label is
  for (std::size_t i = 0; i < column.size();) {
    const char c = column[i];
    if (c == '[' || c == '(') are_known = false;
    if (c == '<') {
      const std::size_t end = column.find("h>", i);
      const std::size_t digits = column.find(' ', i);
      if (end == std::string_view::npos || digits > end) return std::nullopt;
      const auto count = number<std::uint64_t>(column.substr(digits + 1, end - digits - 1), 16);
      const std::string_view kind = column.substr(i + 1, digits - i - 1);
      if (!count || (kind != "rep" && kind != "bin")) return std::nullopt;  // <res ..> has none
      bytes.size = kind == "rep" ? bytes.size * *count : *count;
      return bytes;
    }
    const auto byte = number<std::uint8_t>(columns(column, i, i + 2), 16);
    if (!byte) {
      if (c != '[' && c != ']' && c != '(' && c != ')' && c != '-') return std::nullopt;
      ++i;
      continue;
    }
    if (are_known) bytes.known.push_back(*byte);
    ++bytes.size;
    i += 2;
  }
  return bytes;
}

// Follows a listing into included files, macros and %rep, and says for each line what its author
// sees.
class ListingReader {
 public:
  explicit ListingReader(std::string_view main_file) {
    frames_.push_back({.file = without_folders(main_file)});
  }

  // Takes one line in; returns the source line that it belongs to.
  SourceLine follow(unsigned line, std::size_t depth, std::string_view text) {
    while (frames_.size() > depth + 1) frames_.pop_back();
    while (frames_.size() < depth + 1) frames_.push_back(opened_by(frames_.back()));
    Frame& frame = frames_.back();
    // Bytes that don't fit go on below, without the text.
    if (line != frame.last_line || !text.empty()) frame.last_text = text;
    frame.last_line = line;
    if (frame.call.has_value()) return *frame.call;
    return {.file = frame.file, .line = line, .text = frame.last_text};
  }

 private:
  struct Frame {
    std::string file;
    std::optional<SourceLine> call = std::nullopt;  // of the outermost macro that we are in
    unsigned last_line = 0;
    std::string last_text{};
  };

  static Frame opened_by(const Frame& frame) {
    if (frame.call.has_value()) return {.file = frame.file, .call = frame.call};
    if (auto file = included_file(frame.last_text)) return {.file = *std::move(file)};
    // The lines of a %rep are the file's own.
    if (starts_with_word(frame.last_text, "%endrep")) return {.file = frame.file};
    return {
        .file = frame.file,
        .call = SourceLine{.file = frame.file, .line = frame.last_line, .text = frame.last_text}};
  }

  std::vector<Frame> frames_;
};

std::size_t depth_of(std::string_view line) {
  std::string_view column = trimmed(columns(line, kDepthColumn, kTextColumn));
  if (!column.starts_with('<') || !column.ends_with('>')) return 0;
  constexpr std::size_t kDeepest = 64;
  return std::min(number<std::size_t>(column.substr(1, column.size() - 2), 10).value_or(0),
                  kDeepest);
}

}  // namespace

SourceMap::SourceMap(std::string_view main_file, std::string_view listing, std::string_view map,
                     std::span<const std::uint8_t> bytes) {
  NasmMap nasm = read_nasm_map(map);
  symbols_ = std::move(nasm.symbols);
  origin_ = nasm.origin;
  if (map.empty()) nasm.sections.push_back({.name = ".text", .offset = 0});

  ListingReader reader{main_file};
  std::string section = ".text";
  bool bits_changed = false;
  std::optional<unsigned> bits;
  while (!listing.empty()) {
    const std::string_view line = next_line(listing);
    const auto line_number = number<unsigned>(trimmed(columns(line, 0, kOffsetColumn)), 10);
    if (!line_number) continue;
    const std::string_view text = trimmed(columns(line, kTextColumn, std::string_view::npos));
    SourceLine source = reader.follow(*line_number, depth_of(line), text);
    if (auto changed = section_change(text)) section = *std::move(changed);
    if (const auto changed = changed_bits(text)) {
      bits = changed;
      bits_changed = true;
    }

    const auto offset = number<std::uint64_t>(columns(line, kOffsetColumn, kBytesColumn - 1), 16);
    const auto listed = listed_bytes(trimmed(columns(line, kBytesColumn, kDepthColumn)));
    const auto found = std::ranges::find(nasm.sections, section, &NasmSection::name);
    if (!offset || !listed || listed->size == 0 || found == nasm.sections.end()) continue;
    const std::uint64_t at = found->offset + *offset;
    if (at < *offset || at > bytes.size() || bytes.size() - at < listed->size) continue;
    if (!std::ranges::equal(listed->known, bytes.subspan(at, listed->known.size()))) continue;
    entries_.push_back(
        {at, listed->size, std::move(source), std::exchange(bits_changed, false), bits});
  }
  std::ranges::stable_sort(entries_, {}, &Entry::offset);
}

std::vector<SourceMap::Entry>::const_iterator SourceMap::entry_at(std::uint64_t offset) const {
  const auto next = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  if (next == entries_.begin()) return entries_.end();
  const auto entry = std::prev(next);
  return offset - entry->offset < entry->size ? entry : entries_.end();
}

std::optional<SourceLine> SourceMap::line_at(std::uint64_t offset) const {
  const auto entry = entry_at(offset);
  return entry != entries_.end() ? std::optional{entry->line} : std::nullopt;
}

std::optional<std::uint64_t> SourceMap::code_start(std::uint64_t offset,
                                                   std::uint64_t most_before) const {
  auto entry = entry_at(offset);
  if (entry == entries_.end() || offset - entry->offset > most_before) return std::nullopt;
  while (entry != entries_.begin() && !entry->follows_bits) {
    const auto before = std::prev(entry);
    if (before->offset + before->size != entry->offset) break;
    if (offset - before->offset > most_before) break;
    entry = before;
  }
  return entry->offset;
}

std::optional<unsigned> SourceMap::bits_at(std::uint64_t offset) const {
  const auto entry = entry_at(offset);
  return entry != entries_.end() ? entry->bits : std::nullopt;
}

std::string SourceMap::label_at(std::uint64_t offset) const {
  const Symbol* nearest = nullptr;
  for (const Symbol& symbol : symbols_) {
    const bool is_macros_own = symbol.name.starts_with("..@");
    if (is_macros_own || !symbol.offset.has_value() || *symbol.offset > offset) continue;
    if (nearest == nullptr || *symbol.offset >= *nearest->offset) nearest = &symbol;
  }
  if (nearest == nullptr) return {};
  const std::uint64_t behind = offset - *nearest->offset;
  return behind == 0 ? nearest->name : fmt::format("{}+{:#x}", nearest->name, behind);
}

std::optional<Symbol> SourceMap::symbol(std::string_view name) const {
  const auto found = std::ranges::find(symbols_, name, &Symbol::name);
  return found != symbols_.end() ? std::optional{*found} : std::nullopt;
}

}  // namespace hltest
