// What a report says of the instructions that ran: a loop, or those before the end.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "diagnosis/text.h"

namespace hltest::internal {
namespace {

std::string source_of(const std::optional<SourcePlace>& place) {
  return place ? printable(to_string(*place)) : "";
}

// `boot.asm:42`: a line of the history has no room for more, and of a long name only for the end.
std::string source_line_of(const std::optional<SourcePlace>& place) {
  constexpr std::size_t kMost = 16;
  std::string text =
      place ? printable(fmt::format("{}:{}", place->line.file, place->line.line)) : "";
  if (text.size() <= kMost) return text;
  std::size_t start = text.size() - kMost + 2;
  while (start < text.size() && is_inside_character(text[start])) ++start;
  return ".." + text.substr(start);
}

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string changes_of(const HistoryStep& step) {
  std::string text;
  for (const NamedValue& change : step.changes) {
    if (!text.empty()) text += ' ';
    if (change.name == "rflags") {
      text += fmt::format("[{}]", to_string(Rflags{change.value}));
    } else {
      const bool is_short = step.mode != CpuMode::kLong64 && change.name.starts_with('r');
      fmt::format_to(std::back_inserter(text), "{}{}={:x}", is_short ? "e" : "",
                     change.name.substr(is_short ? 1 : 0), change.value);
    }
  }
  return text;
}

}  // namespace

void add_loop(Lines& lines, const Diagnosis& diagnosis) {
  constexpr std::size_t kMostLoopSteps = 8;
  const auto& steps = diagnosis.loop;
  if (steps.empty()) return;
  lines.push_back({});
  lines.push_back(
      {.text = fmt::format("its next {}:",
                           diagnosis.watched_instructions == 1
                               ? "instruction"
                               : fmt::format("{} instructions", diagnosis.watched_instructions))});
  for (std::size_t i = 0; i < std::min(steps.size(), kMostLoopSteps); ++i) {
    const LoopStep& step = steps[i];
    lines.push_back(cut(without_trailing_spaces(
        fmt::format("{:>5} {:<5} {:>10}  {:<23} {}", step.count, step.count == 1 ? "time" : "times",
                    to_string(step.address), step.instruction, source_of(step.source)))));
  }
  if (steps.size() > kMostLoopSteps) {
    lines.push_back({.text = fmt::format("  ... and {} more", steps.size() - kMostLoopSteps)});
  }
}

void add_findings(Lines& lines, const Diagnosis& diagnosis) {
  if (diagnosis.left_image_at) {
    const HistoryStep& step = *diagnosis.left_image_at;
    const std::string source = source_of(step.source);
    add_wrapped(lines,
                fmt::format("the last instruction in the image: `{}` at {}{}{}", step.instruction,
                            to_string(step.address), source.empty() ? "" : ", ", source));
  }
  for (const std::string& finding : diagnosis.findings) add_wrapped(lines, finding);
  if (!diagnosis.not_replayed.empty()) {
    add_wrapped(lines, "not replayed: " + diagnosis.not_replayed);
  }
}

void add_history(Lines& lines, const Diagnosis& diagnosis, std::size_t most_lines) {
  constexpr std::size_t kHead = 2;
  const auto& steps = diagnosis.history;
  lines.push_back({});
  if (steps.empty() || most_lines <= kHead) return;
  const std::size_t shown = std::min(steps.size(), most_lines - kHead);
  const std::size_t first = steps.size() - shown;
  std::size_t widest = 0;
  for (std::size_t i = first; i < steps.size(); ++i) {
    widest = std::max(widest, source_line_of(steps[i].source).size());
  }
  lines.push_back({.text = "before it, with the registers that each changed:"});
  for (std::size_t i = first; i < steps.size(); ++i) {
    const HistoryStep& step = steps[i];
    lines.push_back(cut(without_trailing_spaces(
        fmt::format("  {:>10}  {:<{}}  {:<25} {}", to_string(step.address),
                    source_line_of(step.source), widest, step.instruction, changes_of(step)))));
  }
}

}  // namespace hltest::internal
