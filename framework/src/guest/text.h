#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hltest::internal {

/// Removes the first line of `text` and returns it without its line end.
std::string_view next_line(std::string_view& text);

/// Removes the first word of `text` and returns it; empty at the end.
std::string_view next_word(std::string_view& text);

/// `text` without the blanks around it.
std::string_view trimmed(std::string_view text);

/// Whether the first word of `text` is `word`, which is given in lower case.
bool starts_with_word(std::string_view text, std::string_view word);

/// The file's name without its folders.
std::string without_folders(std::string_view path);

/// The number that all of `text` is; nothing if it is anything else.
template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, value, base);
  const bool is_whole = error == std::errc{} && end == text_end && !text.empty();
  return is_whole ? std::optional{value} : std::nullopt;
}

}  // namespace hltest::internal
