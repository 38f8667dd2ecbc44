#include <fmt/format.h>

#include <iterator>

#include "diagnosis/text.h"

namespace hltest {
namespace internal {
namespace {

constexpr std::size_t kColumns = 80;

// How many bytes the character of UTF-8 at `at` has; 0 where there is none.
std::size_t character_size(const std::string& text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xF0 && first < 0xF5 ? 4
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xC2 && first < 0xE0 ? 2
                                                           : 0;
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_inside_character(text[at + i])) return 0;
  }
  return size;
}

// Before the character that `at` is inside of.
std::size_t start_of_character(const std::string& text, std::size_t at) {
  while (at > 0 && is_inside_character(text[at])) --at;
  return at;
}

}  // namespace

std::string printable(const std::string& text) {
  std::string printed;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    // C1 controls (U+0080 to U+009F) are c2 80 to c2 9f.
    const bool is_c1 = size == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (text[at] == '\t') {
      printed += ' ';
    } else if (size == 0 || byte < 0x20 || byte == 0x7F || is_c1) {
      printed += '?';
    } else {
      printed.append(text, at, size);
    }
    at += std::max<std::size_t>(size, 1);
  }
  return printed;
}

Line cut(std::string line, Style style) {
  if (line.size() > kColumns) {
    line.erase(start_of_character(line, kColumns - 3));
    line += "...";
  }
  return {.style = style, .text = std::move(line)};
}

void add_wrapped(Lines& lines, const std::string& text, Style style) {
  std::string rest = text;
  while (rest.size() > kColumns) {
    std::size_t end = rest.rfind("  ", kColumns);
    if (end == std::string::npos || end <= 2) end = rest.rfind(' ', kColumns);
    std::size_t next = 0;
    if (end == std::string::npos || end <= 2) {
      next = end = start_of_character(rest, kColumns);
    } else {
      next = rest.find_first_not_of(' ', end);
    }
    if (next == std::string::npos) break;
    lines.push_back({.style = style, .text = rest.substr(0, end)});
    rest = "  " + rest.substr(next);
  }
  lines.push_back({.style = style, .text = std::move(rest)});
}

}  // namespace internal

std::string escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (c == '\\' || c == '"') {
      escaped += '\\';
      escaped += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", byte);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace hltest
