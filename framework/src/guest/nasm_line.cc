#include "guest/nasm_line.h"

#include <algorithm>
#include <utility>

#include "guest/text.h"

namespace hltest::internal {
namespace {

// Where NASM's columns begin while line numbers have at most six digits. Each further digit, from
// line 1,000,000 on, moves all the columns by one.
constexpr std::size_t kNumberWidth = 6;
constexpr std::size_t kOffsetColumn = 7;
constexpr std::size_t kBytesColumn = 16;
constexpr std::size_t kDepthColumn = 35;
constexpr std::size_t kTextColumn = 40;

std::string_view columns(std::string_view line, std::size_t from, std::size_t to) {
  return from >= line.size() ? std::string_view{} : line.substr(from, to - from);
}

std::size_t read_depth(std::string_view column) {
  if (!column.starts_with('<') || !column.ends_with('>')) return 0;
  constexpr std::size_t kDeepest = 64;
  return std::min(number<std::size_t>(column.substr(1, column.size() - 2), 10).value_or(0),
                  kDeepest);
}

std::string_view without_bracket(std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(1);
  return text;
}

// The `<rep 3h>` or `<bin 200h>` that ends a bytes column: its keyword and its number.
std::optional<std::pair<std::string_view, std::uint64_t>> read_repetition(std::string_view text) {
  const std::size_t end = text.find("h>");
  const std::size_t digits = text.find(' ');
  if (end == std::string_view::npos || digits > end) return std::nullopt;
  const auto count = number<std::uint64_t>(text.substr(digits + 1, end - digits - 1), 16);
  if (!count) return std::nullopt;
  return std::pair{text.substr(1, digits - 1), *count};
}

}  // namespace

std::optional<NasmLine> split_listing_line(std::string_view line) {
  const std::size_t number_start = line.find_first_not_of(' ');
  const std::size_t number_end = line.find(' ', std::min(number_start, line.size()));
  const std::size_t width = std::min(number_end, line.size());
  if (number_start == std::string_view::npos || width < kNumberWidth) return std::nullopt;
  const auto line_number = number<unsigned>(line.substr(number_start, width - number_start), 10);
  if (!line_number) return std::nullopt;

  line.remove_prefix(width - kNumberWidth);
  const std::string_view bytes = trimmed(columns(line, kBytesColumn, kDepthColumn));
  if (bytes.starts_with('*')) return std::nullopt;  // the text is a warning's
  return NasmLine{
      .number = *line_number,
      .offset = number<std::uint64_t>(columns(line, kOffsetColumn, kBytesColumn - 1), 16),
      .bytes = bytes,
      .depth = read_depth(trimmed(columns(line, kDepthColumn, kTextColumn))),
      .text = trimmed(columns(line, kTextColumn, std::string_view::npos))};
}

std::optional<ListedBytes> read_listed_bytes(std::string_view column) {
  ListedBytes bytes;
  bool are_known = true;
  for (std::size_t i = 0; i < column.size();) {
    const char c = column[i];
    if (c == '[' || c == '(') are_known = false;
    if (c == '<') {
      const auto repetition = read_repetition(column.substr(i));
      if (!repetition) return std::nullopt;
      const auto [keyword, count] = *repetition;
      if (keyword != "rep" && keyword != "bin") return std::nullopt;  // <res ...> makes no bytes
      bytes.size = keyword == "rep" ? bytes.size * count : count;
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

std::optional<std::string> included_file(std::string_view text) {
  if (!starts_with_word(text, "%include")) return std::nullopt;
  const std::size_t start = text.find_first_of("\"'`<");
  const std::size_t end = text.find_last_of("\"'`>");
  if (start == std::string_view::npos || end <= start) return std::nullopt;
  return without_folders(text.substr(start + 1, end - start - 1));
}

std::optional<std::string> changed_section(std::string_view text) {
  text = without_bracket(text);
  if (starts_with_word(text, "absolute")) return "";
  if (!starts_with_word(text, "section") && !starts_with_word(text, "segment")) {
    return std::nullopt;
  }
  next_word(text);
  std::string_view name = next_word(text);
  if (name.ends_with(']')) name.remove_suffix(1);
  return std::string{name};
}

std::optional<unsigned> changed_bits(std::string_view text) {
  text = without_bracket(text);
  if (starts_with_word(text, "use16")) return 16;
  if (starts_with_word(text, "use32")) return 32;
  if (starts_with_word(text, "use64")) return 64;
  if (!starts_with_word(text, "bits")) return std::nullopt;
  text = trimmed(text.substr(4));
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return number<unsigned>(text.substr(0, digits), 10);
}

}  // namespace hltest::internal
