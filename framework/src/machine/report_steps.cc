// What a report says of the instructions that ran: a loop, or those before a fault.
#include "machine/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace hltest {
namespace {

constexpr std::size_t kMostLoopSteps = 8;

std::string source_of(const Outcome& outcome, const std::optional<Gpa>& gpa) {
  const auto place = gpa ? outcome.source_at(*gpa) : std::nullopt;
  return place ? to_string(*place) : "";
}

// `boot.asm:42`: a line of the history has no room for more, and of a long name only for the end.
std::string source_line_of(const Outcome& outcome, const std::optional<Gpa>& gpa) {
  constexpr std::size_t kMost = 16;
  const auto place = gpa ? outcome.source_at(*gpa) : std::nullopt;
  std::string text = place ? fmt::format("{}:{}", place->line.file, place->line.line) : "";
  if (text.size() <= kMost) return text;
  std::size_t start = text.size() - kMost + 2;
  while (start < text.size() && is_inside_character(text[start])) ++start;
  return ".." + text.substr(start);
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

std::string loop_text(const Outcome& outcome) {
  const auto* const timeout = std::get_if<Timeout>(&outcome.stop);
  if (timeout == nullptr || timeout->loop.steps.empty()) return {};
  const Loop& loop = timeout->loop;
  std::string text = fmt::format(
      "\nits last {}:\n",
      loop.instructions == 1 ? "instruction" : fmt::format("{} instructions", loop.instructions));
  for (std::size_t i = 0; i < std::min(loop.steps.size(), kMostLoopSteps); ++i) {
    const LoopStep& step = loop.steps[i];
    std::string line =
        fmt::format("{:>5} times {:>10}  {:<23} {}", step.count, to_string(step.address),
                    step.instruction, source_of(outcome, step.gpa));
    line.erase(line.find_last_not_of(' ') + 1);
    text += cut(line) + '\n';
  }
  if (loop.steps.size() > kMostLoopSteps) {
    text += fmt::format("  ... and {} more\n", loop.steps.size() - kMostLoopSteps);
  }
  return text;
}

std::string findings_text(const Outcome& outcome) {
  if (!outcome.history) return {};
  const History& history = *outcome.history;
  std::string text;
  if (history.left_image_at) {
    const HistoryStep& step = *history.left_image_at;
    const std::string source = source_of(outcome, step.gpa);
    text += wrap(fmt::format("the last instruction in the image: `{}` at {}{}{}", step.instruction,
                             to_string(step.address), source.empty() ? "" : ", ", source)) +
            '\n';
  }
  for (const std::string& finding : history.findings) text += wrap(finding) + '\n';
  if (!history.failure.empty()) text += wrap("not replayed: " + history.failure) + '\n';
  return text;
}

std::string history_text(const Outcome& outcome, std::size_t most_lines) {
  constexpr std::size_t kHead = 2;
  const bool has_steps = outcome.history && !outcome.history->steps.empty();
  if (!has_steps || most_lines <= kHead) return "\n";
  const auto& steps = outcome.history->steps;
  const std::size_t shown = std::min(steps.size(), most_lines - kHead);
  std::vector<std::string> sources;
  std::size_t widest = 0;
  for (std::size_t i = steps.size() - shown; i < steps.size(); ++i) {
    sources.push_back(source_line_of(outcome, steps[i].gpa));
    widest = std::max(widest, sources.back().size());
  }
  std::string text = "\nbefore it, with the registers that each changed:\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const HistoryStep& step = steps[steps.size() - shown + i];
    std::string line = fmt::format("  {:>10}  {:<{}}  {:<25} {}", to_string(step.address),
                                   sources[i], widest, step.instruction, changes_of(step));
    line.erase(line.find_last_not_of(' ') + 1);
    text += cut(line) + '\n';
  }
  return text;
}

}  // namespace hltest
