#include <hltest/boot_matchers.h>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include <hltest/diagnosis.h>

#include "testing/described.h"

namespace hltest {
namespace {

using namespace internal;
using Listener = ::testing::MatchResultListener;

std::string row_of(const Screen& screen, unsigned row) {
  return row < screen.rows.size() ? screen.rows[row] : std::string{};
}

void tell_screen(const Screen& screen, Listener* listener) {
  *listener << "whose screen is\n" << to_string(screen);
}

bool is_as_expected(const DiskTransfer& actual, const DiskTransfer& expected) {
  return actual.drive == expected.drive && actual.lba == expected.lba &&
         actual.count == expected.count && (!expected.memory || actual.memory == expected.memory);
}

std::string list_of(const std::vector<DiskTransfer>& transfers) {
  std::string text;
  for (const DiskTransfer& each : transfers) text += "\n  " + to_string(each);
  return text.empty() ? "\n  nothing" : text;
}

OutcomeMatcher transferred(std::vector<DiskTransfer> expected, bool is_write) {
  for (DiskTransfer& each : expected) each.is_write = is_write;
  return described<Outcome>("transferred these sectors:" + list_of(expected),
                            [expected, is_write](const Outcome& outcome, Listener* listener) {
                              std::vector<DiskTransfer> actual = outcome.disk_transfers();
                              std::erase_if(actual, [is_write](const DiskTransfer& each) {
                                return each.is_write != is_write;
                              });
                              if (std::ranges::equal(actual, expected, is_as_expected)) return true;
                              *listener << "which did:" << list_of(actual);
                              return false;
                            });
}

std::string describe(const PortPattern& pattern) {
  const bool is_out = pattern.direction == Direction::kWrite;
  return fmt::format("{}({:#x}{})", is_out ? "Out" : "In", pattern.port,
                     pattern.value ? fmt::format(", {:#x}", *pattern.value) : "");
}

bool is_like(const Access& access, const PortPattern& pattern) {
  return access.direction == pattern.direction && access.port() == pattern.port &&
         (!pattern.value || access.value == *pattern.value);
}

}  // namespace

OutcomeMatcher ShowsText(unsigned row, std::string_view text) {
  return described<Outcome>(
      fmt::format("shows \"{}\" in row {}", text, row),
      [row, text = std::string{text}](const Outcome& outcome, Listener* listener) {
        const Screen screen = outcome.screen();
        if (row_of(screen, row) == text) return true;
        tell_screen(screen, listener);
        return false;
      });
}

OutcomeMatcher ShowsTextMatching(unsigned row, const ::testing::Matcher<std::string>& text) {
  std::ostringstream expectation;
  expectation << fmt::format("shows in row {} text that ", row);
  text.DescribeTo(&expectation);
  return described<Outcome>(expectation.str(),
                            [row, text](const Outcome& outcome, Listener* listener) {
                              const Screen screen = outcome.screen();
                              if (text.Matches(row_of(screen, row))) return true;
                              tell_screen(screen, listener);
                              return false;
                            });
}

OutcomeMatcher Printed(std::string_view text) {
  return described<Outcome>(fmt::format("printed \"{}\"", escape(std::string{text})),
                            [text = std::string{text}](const Outcome& outcome, Listener* listener) {
                              *listener << "which printed \"" << escape(outcome.console()) << '"';
                              return outcome.console() == text;
                            });
}

OutcomeMatcher PrintedMatching(const ::testing::Matcher<std::string>& text) {
  std::ostringstream expectation;
  expectation << "printed text that ";
  text.DescribeTo(&expectation);
  return described<Outcome>(expectation.str(), [text](const Outcome& outcome, Listener* listener) {
    *listener << "which printed \"" << escape(outcome.console()) << '"';
    return text.Matches(outcome.console());
  });
}

OutcomeMatcher SentOnSerial(std::string_view text) {
  return described<Outcome>(fmt::format("sent \"{}\" on a serial port", escape(std::string{text})),
                            [text = std::string{text}](const Outcome& outcome, Listener* listener) {
                              const std::string sent = serial_text(outcome.accesses);
                              *listener << "which sent \"" << escape(sent) << '"';
                              return sent == text;
                            });
}

OutcomeMatcher CalledBios(std::uint8_t number, std::uint8_t ah) {
  return described<Outcome>(
      fmt::format("called INT {:02X}h with AH = {:02X}h", number, ah),
      [number, ah](const Outcome& outcome, Listener* listener) {
        const auto& calls = outcome.bios_calls();
        const bool is_called = std::ranges::any_of(calls, [&](const ServiceCall& call) {
          return call.vector == Vector{number} && call.before.ah() == ah;
        });
        if (is_called) return true;
        *listener << "which made " << calls.size() << " calls:";
        constexpr std::size_t kMost = 20;
        for (const ServiceCall& call : std::span{calls}.first(std::min(calls.size(), kMost))) {
          *listener << "\n  " << to_string(call);
        }
        if (calls.size() > kMost) *listener << "\n  ...";
        return false;
      });
}

OutcomeMatcher ReadSectors(std::vector<DiskTransfer> transfers) {
  return transferred(std::move(transfers), false);
}

OutcomeMatcher WroteSectors(std::vector<DiskTransfer> transfers) {
  return transferred(std::move(transfers), true);
}

PortPattern Out(Port port) { return {.port = port}; }
PortPattern Out(Port port, std::uint64_t value) { return {.port = port, .value = value}; }
PortPattern In(Port port) { return {.direction = Direction::kRead, .port = port}; }

OutcomeMatcher AccessedInOrder(std::vector<PortPattern> patterns) {
  std::string expectation = "accessed in this order:";
  for (const PortPattern& each : patterns) expectation += " " + describe(each);
  return described<Outcome>(
      std::move(expectation),
      [patterns = std::move(patterns)](const Outcome& outcome, Listener* listener) {
        auto next = patterns.begin();
        for (const Access& access : outcome.ports) {
          if (next != patterns.end() && is_like(access, *next)) ++next;
        }
        if (next == patterns.end()) return true;
        *listener << "which has no " << describe(*next)
                  << (next == patterns.begin() ? "" : " after " + describe(*std::prev(next)));
        return false;
      });
}

OutcomeMatcher JumpedTo(std::uint16_t segment, std::uint16_t offset) {
  return described<Outcome>(
      fmt::format("halted at {:04x}:{:04x}", segment, offset),
      [segment, offset](const Outcome& outcome, Listener* listener) {
        *listener << summary(outcome);
        if (!outcome.halted() || outcome.registers.cr0.pe()) return false;
        const auto at = static_cast<std::uint16_t>(outcome.registers.ip() - 1);
        *listener << fmt::format(", with CS:IP = {:04x}:{:04x}", outcome.registers.cs.selector, at);
        return outcome.registers.cs.selector == segment && at == offset;
      });
}

}  // namespace hltest
