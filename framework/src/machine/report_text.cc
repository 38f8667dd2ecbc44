#include "machine/report_text.h"
#include "machine/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace hltest {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kMostPorts = 8;
constexpr std::size_t kMostMmio = 4;
constexpr std::size_t kMostMsrs = 4;

using Output = std::back_insert_iterator<std::string>;

void add_ports(Output out, const PortLog& ports) {
  const std::vector<Port> written = ports.written_ports();
  for (std::size_t i = 0; i < std::min(written.size(), kMostPorts); ++i) {
    const Port port = written[i];
    const std::string text = ports.text(port);
    constexpr std::size_t kMostShown = 12;
    const std::string head = text.substr(0, kMostShown);
    fmt::format_to(
        out, "{}\n",
        cut(fmt::format("out {:#06x}  {} bytes: {:02x}{} \"{}\"", port, text.size(),
                        fmt::join(std::vector<std::uint8_t>(head.begin(), head.end()), " "),
                        text.size() > kMostShown ? " .." : "", escape(text))));
  }
  if (written.size() > kMostPorts) {
    fmt::format_to(out, "... and {} more ports\n", written.size() - kMostPorts);
  }
  std::vector<std::pair<PortAccess, std::size_t>> reads;  // of one port and size, counted
  for (const PortAccess& access : ports.accesses()) {
    if (access.direction != Direction::kIn) continue;
    if (!reads.empty() && reads.back().first == access) {
      ++reads.back().second;
    } else if (reads.size() <= kMostPorts) {
      reads.emplace_back(access, 1);
    }
  }
  for (std::size_t i = 0; i < std::min(reads.size(), kMostPorts); ++i) {
    const auto& [access, times] = reads[i];
    fmt::format_to(out, "{}{}\n", to_string(access),
                   times > 1 ? fmt::format(", {} times", times) : "");
  }
  if (reads.size() > kMostPorts) fmt::format_to(out, "... and further reads\n");
  if (ports.dropped() > 0) {
    fmt::format_to(out, "({} accesses were kept, {} more were not)\n", ports.accesses().size(),
                   ports.dropped());
  }
}

void add_mmio(Output out, const std::vector<MmioAccess>& accesses) {
  for (std::size_t i = 0; i < std::min(accesses.size(), kMostMmio); ++i) {
    fmt::format_to(out, "mmio {}\n", to_string(accesses[i]));
  }
  if (accesses.size() > kMostMmio) {
    fmt::format_to(out, "... and {} more MMIO accesses\n", accesses.size() - kMostMmio);
  }
}

void add_msrs(Output out, const std::vector<MsrAccess>& accesses) {
  for (std::size_t i = 0; i < std::min(accesses.size(), kMostMsrs); ++i) {
    fmt::format_to(out, "{}\n", to_string(accesses[i]));
  }
  if (accesses.size() > kMostMsrs) {
    fmt::format_to(out, "... and {} more MSR accesses\n", accesses.size() - kMostMsrs);
  }
}

}  // namespace

std::string cut(const std::string& line) {
  if (line.size() <= kColumns) return line;
  std::size_t end = kColumns - 3;
  while (end > 0 && is_inside_character(line[end])) --end;
  return line.substr(0, end) + "...";
}

std::string wrap(std::string text) {
  for (std::size_t line = 0; text.size() - line > kColumns;) {
    std::size_t space = text.rfind("  ", line + kColumns);
    if (space == std::string::npos || space <= line + 2) space = text.rfind(' ', line + kColumns);
    if (space == std::string::npos || space <= line + 2) {
      text.insert(line + kColumns, "\n  ");
      line += kColumns + 1;
      continue;
    }
    text.replace(space, text.find_first_not_of(' ', space) - space, "\n  ");
    line = space + 1;
  }
  return text;
}

std::string accesses_text(const Outcome& outcome) {
  std::string text;
  const Output out = std::back_inserter(text);
  if (!outcome.ports.accesses().empty() || !outcome.mmio.empty() || !outcome.msrs.empty()) {
    text += '\n';
  }
  add_ports(out, outcome.ports);
  add_mmio(out, outcome.mmio);
  add_msrs(out, outcome.msrs);
  return text;
}

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
