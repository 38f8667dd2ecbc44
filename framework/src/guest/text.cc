#include "guest/text.h"

#include <algorithm>
#include <cctype>

namespace hltest::internal {
namespace {

constexpr std::string_view kBlanks = " \t\r";

}  // namespace

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) {
    text = {};
    return {};
  }
  text = text.substr(start);
  const std::size_t end = text.find_first_of(kBlanks);
  const std::string_view word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  return word;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  const auto is_lower_case_of = [](char lower, char any) {
    return std::tolower(static_cast<unsigned char>(any)) == lower;
  };
  return std::equal(word.begin(), word.end(), text.begin(), is_lower_case_of) &&
         (text.size() == word.size() || text[word.size()] == ' ' || text[word.size()] == '\t');
}

std::string without_folders(std::string_view path) {
  return std::string{path.substr(path.find_last_of('/') + 1)};
}

}  // namespace hltest::internal
