// What a guest exchanged with the world, in a report.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "diagnosis/text.h"
#include "x86/counted.h"

namespace hltest::internal {
namespace {

constexpr std::size_t kMostPorts = 8;
constexpr std::size_t kMostOthers = 4;
constexpr std::size_t kMostCallsShown = 8;

void add_outputs(Lines& lines, const PortView& ports) {
  const std::vector<PortView::Output> outputs = ports.outputs();
  for (std::size_t i = 0; i < std::min(outputs.size(), kMostPorts); ++i) {
    const auto& [port, bytes] = outputs[i];
    constexpr std::size_t kMostShown = 12;
    const auto head = std::span{bytes}.first(std::min(kMostShown, bytes.size()));
    lines.push_back(
        cut(fmt::format("out {:#06x}  {}: {:02x}{} \"{}\"", port, counted(bytes.size(), "byte"),
                        fmt::join(head, " "), bytes.size() > kMostShown ? " .." : "",
                        escape({bytes.begin(), bytes.end()}))));
  }
  if (outputs.size() > kMostPorts) {
    lines.push_back({.text = fmt::format("... and {} more ports", outputs.size() - kMostPorts)});
  }
}

void add_inputs(Lines& lines, const PortView& ports) {
  std::vector<std::pair<Access, std::size_t>> reads;  // of one port and size, counted
  for (const Access& access : ports) {
    if (!access.is_read()) continue;
    if (!reads.empty() && reads.back().first == access) {
      ++reads.back().second;
    } else if (reads.size() <= kMostPorts) {
      reads.emplace_back(access, 1);
    }
  }
  for (std::size_t i = 0; i < std::min(reads.size(), kMostPorts); ++i) {
    const auto& [access, times] = reads[i];
    lines.push_back(
        {.text = to_string(access) + (times > 1 ? fmt::format(", {} times", times) : "")});
  }
  if (reads.size() > kMostPorts) lines.push_back({.text = "... and further reads"});
  if (ports.dropped() > 0) {
    lines.push_back({.text = fmt::format("({} accesses were kept, {} more were not)", ports.size(),
                                         ports.dropped())});
  }
}

void add_others(Lines& lines, const AccessView& accesses, const char* prefix, const char* name) {
  std::size_t shown = 0;
  for (const Access& access : accesses) {
    if (shown++ == kMostOthers) break;
    lines.push_back({.text = prefix + to_string(access)});
  }
  const std::uint64_t all = accesses.size() + accesses.dropped();
  if (all > kMostOthers) {
    lines.push_back({.text = fmt::format("... and {} more {} accesses", all - kMostOthers, name)});
  }
}

// What was printed is on the screen.
void add_calls(Lines& lines, const AccessLog& log) {
  std::vector<std::string> calls;
  for (const ServiceCall& call : log.calls()) {
    if (call.text.empty()) calls.push_back(to_string(call));
  }
  const std::size_t left_out = calls.size() - std::min(calls.size(), kMostCallsShown);
  if (left_out > 0)
    lines.push_back({.text = fmt::format("({} before these)", counted(left_out, "call"))});
  for (const std::string& call : std::span{calls}.subspan(left_out)) add_wrapped(lines, call);
}

}  // namespace

void add_screen(Lines& lines, const Diagnosis& diagnosis) {
  if (!diagnosis.screen) return;
  const std::vector<std::string>& rows = diagnosis.screen->rows;
  std::size_t last = rows.size();
  while (last > 0 && rows[last - 1].empty()) --last;
  lines.push_back({});
  lines.push_back({.text = last == 0 ? "the screen is empty" : "the screen:"});
  for (const std::string& row : std::span{rows}.first(last)) lines.push_back({.text = "|" + row});
}

void add_accesses(Lines& lines, const AccessLog& log) {
  if (log.size() != 0) lines.push_back({});
  const PortView ports{log};
  add_outputs(lines, ports);
  add_inputs(lines, ports);
  add_others(lines, AccessView{log, Space::kMmio}, "mmio ", "MMIO");
  add_others(lines, AccessView{log, Space::kMsr}, "", "MSR");
  add_calls(lines, log);
}

}  // namespace hltest::internal
