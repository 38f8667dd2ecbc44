#include "diagnosis/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace hltest {
namespace internal {
namespace {

constexpr std::size_t kMostLines = 50;

std::string place_text(const Diagnosis::Place& place) {
  const Registers& registers = place.registers;
  const std::uint64_t offset = registers.rip - (registers.code_address() - place.address);
  return fmt::format("at {} (CS:RIP {:04x}:{:x}, {})", to_string(place.address),
                     registers.cs.selector, offset, place.mode);
}

void add_cause(Lines& lines, const Diagnosis& diagnosis) {
  const std::string& cause = diagnosis.cause.empty() ? diagnosis.waits_for : diagnosis.cause;
  if (!cause.empty()) add_wrapped(lines, "cause: " + cause, Style::kCause);
  if (!diagnosis.remark.empty()) add_wrapped(lines, diagnosis.remark);
  if (diagnosis.undelivered.empty()) return;
  add_wrapped(lines, (diagnosis.fault ? "not delivered: " : "no exception could be delivered: ") +
                         diagnosis.undelivered);
}

// What has halted, or ended by a condition, did not run astray.
bool may_lack_hlt(const Diagnosis& diagnosis) {
  return !diagnosis.left_image_at && !std::holds_alternative<Halt>(diagnosis.stop) &&
         !std::holds_alternative<ConditionMet>(diagnosis.stop);
}

// A missing HLT shows far from where it is missing.
void add_way_out_of_the_image(Lines& lines, const Diagnosis& diagnosis) {
  if (!diagnosis.is_outside_image || diagnosis.image_size == 0) return;
  lines.push_back({.text = fmt::format(
                       "outside the image, which is at {}-{}{}", to_string(diagnosis.image_start),
                       to_string(diagnosis.image_start + (diagnosis.image_size - 1)),
                       may_lack_hlt(diagnosis) ? ": does it end in HLT?" : "")});
}

void add_code(Lines& lines, const Diagnosis::Place& place) {
  if (place.code.empty()) {
    lines.push_back(
        {.text = fmt::format("  (the code at {} can't be read)", to_string(place.address))});
  }
  for (const CodeLine& line : place.code) {
    constexpr std::size_t kMostBytes = 8;
    const bool is_long = line.bytes.size() > kMostBytes;
    const auto shown = std::span{line.bytes}.first(std::min(kMostBytes, line.bytes.size()));
    const bool is_stop = line.address == place.address;
    lines.push_back(
        cut(fmt::format("{} {:>10}  {:<26}{}", is_stop ? '>' : ' ', to_string(line.address),
                        fmt::format("{:02x}{}", fmt::join(shown, " "), is_long ? ".." : ""),
                        line.instruction),
            is_stop ? Style::kInstruction : Style::kPlain));
  }
}

void shorten(Lines& lines, std::size_t most) {
  if (lines.size() <= most) return;
  lines.resize(most);
  if (most > 0) lines.back() = {.text = "... and further accesses"};
}

}  // namespace

Lines render(const Diagnosis& diagnosis) {
  Lines head;
  Lines state;
  const bool has_failed = !std::holds_alternative<Halt>(diagnosis.stop);
  add_wrapped(head, diagnosis.headline, has_failed ? Style::kFailure : Style::kHeadline);
  if (diagnosis.place) {
    const Diagnosis::Place& place = *diagnosis.place;
    head.push_back(cut(place_text(place)));
    if (place.source) {
      head.push_back(cut(
          fmt::format("{}:  {}", to_string(*place.source), printable(place.source->line.text))));
    }
    add_cause(head, diagnosis);
    add_way_out_of_the_image(head, diagnosis);
    add_code(state, place);
    add_loop(state, diagnosis);
    state.push_back({});
    add_registers(state, place.registers);
  }
  add_findings(head, diagnosis);
  Lines accesses;
  add_screen(accesses, diagnosis);
  add_accesses(accesses, diagnosis.accesses);
  const std::size_t fixed = head.size() + state.size() + 1;  // with the line before the history
  shorten(accesses, kMostLines - std::min(fixed, kMostLines));
  std::ranges::move(accesses, std::back_inserter(state));
  const std::size_t taken = head.size() + state.size();
  add_history(head, diagnosis, kMostLines - std::min(taken, kMostLines));
  std::ranges::move(state, std::back_inserter(head));
  return head;
}

}  // namespace internal

std::string to_text(const Diagnosis& diagnosis) {
  std::string text;
  for (const internal::Line& line : internal::render(diagnosis)) text += line.text + '\n';
  return text;
}

}  // namespace hltest
