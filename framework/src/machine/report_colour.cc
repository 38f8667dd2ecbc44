#include "machine/report_colour.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace hltest {
namespace {

constexpr std::string_view kNone;
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(std::string_view line, bool is_first) {
  if (is_first) return line.find(" ended: ") != std::string_view::npos ? kRed : kBold;
  if (line.starts_with("cause: ")) return kBold;
  return line.starts_with('>') ? kYellow : kNone;
}

}  // namespace

bool takes_colour(int fd) {
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
  return isatty(fd) != 0 && (no_colour == nullptr || *no_colour == '\0') && !is_dumb;
}

std::string coloured(const std::string& report) {
  std::string text;
  std::string_view colour;
  for (std::size_t at = 0; at < report.size();) {
    const std::size_t end = std::min(report.find('\n', at), report.size());
    const std::string_view line = std::string_view{report}.substr(at, end - at);
    // What is wrapped goes on in the same colour.
    if (at == 0 || !line.starts_with("  ")) colour = colour_of(line, at == 0);
    if (line.empty()) colour = kNone;
    text += colour;
    text += line;
    if (!colour.empty()) text += kReset;
    if (end < report.size()) text += '\n';
    at = end + 1;
  }
  return text;
}

}  // namespace hltest
