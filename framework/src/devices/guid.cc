#include "devices/guid.h"

#include <algorithm>
#include <charconv>

namespace hltest::internal {
namespace {

constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
// Where in the text the two digits of each byte are.
constexpr std::array<std::size_t, 16> kDigits = {6,  4,  2,  0,  11, 9,  16, 14,
                                                 19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::optional<Guid> parse_guid(std::string_view text) {
  const bool has_dashes = std::ranges::equal(
      text, kForm, [](char own, char form) { return (own == '-') == (form == '-'); });
  if (!has_dashes) return std::nullopt;
  Guid guid{};
  for (std::size_t i = 0; i < guid.size(); ++i) {
    const std::string_view digits = text.substr(kDigits.at(i), 2);
    const char* const end = digits.data() + digits.size();
    constexpr int kHexadecimal = 16;
    if (std::from_chars(digits.data(), end, guid.at(i), kHexadecimal).ptr != end) {
      return std::nullopt;
    }
  }
  return guid;
}

}  // namespace hltest::internal
