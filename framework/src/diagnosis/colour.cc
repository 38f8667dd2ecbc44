#include "diagnosis/colour.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include <hltest/diagnosis.h>

#include "diagnosis/text.h"

namespace hltest {
namespace {

std::string_view colour_of(internal::Style style) {
  switch (style) {
    case internal::Style::kFailure:
      return "\x1b[1;31m";  // bold red
    case internal::Style::kHeadline:
    case internal::Style::kCause:
      return "\x1b[1m";  // bold
    case internal::Style::kInstruction:
      return "\x1b[1;33m";  // bold yellow
    case internal::Style::kPlain:
      break;
  }
  return {};
}

}  // namespace

std::string to_coloured_text(const Diagnosis& diagnosis) {
  std::string text;
  for (const internal::Line& line : internal::render(diagnosis)) {
    const std::string_view colour = colour_of(line.style);
    text += colour;
    text += line.text;
    if (!colour.empty()) text += "\x1b[0m";
    text += '\n';
  }
  return text;
}

namespace internal {

bool takes_colour(int fd) {
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
  return isatty(fd) != 0 && (no_colour == nullptr || *no_colour == '\0') && !is_dumb;
}

}  // namespace internal
}  // namespace hltest
