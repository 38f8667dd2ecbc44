#include <hltest/matchers.h>

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include <hltest/diagnosis.h>

#include "testing/described.h"
#include "testing/hexdump.h"
#include "x86/counted.h"
#include "x86/registers/error_code.h"

namespace hltest {
namespace {

using namespace internal;

template <typename Reason>
OutcomeMatcher stopped_by(std::string expectation) {
  return described<Outcome>(std::move(expectation),
                            [](const Outcome& outcome, ::testing::MatchResultListener*) {
                              return std::holds_alternative<Reason>(outcome.stop);
                            });
}

// An error code that is not of the IDT has a selector without its RPL.
bool names_selector(const Exception& raised, std::optional<std::uint16_t> selector) {
  if (!selector.has_value()) return true;
  const SelectorErrorCode code{raised.error_code.value_or(0)};
  return raised.error_code.has_value() && !code.idt() && code.selector() == (*selector & ~3U);
}

std::string expectation_of(const ExceptionPattern& pattern) {
  std::string text =
      fmt::format("raised {} ({}", mnemonic(pattern.vector), description(pattern.vector));
  if (pattern.error_code.has_value()) {
    text += fmt::format(", error code {:#x}", *pattern.error_code);
    const std::string fields = describe_error_code(pattern.vector, *pattern.error_code);
    if (!fields.empty()) text += ": " + fields;
  }
  if (pattern.selector.has_value()) {
    text += fmt::format(", {} selector {:#x}", (*pattern.selector & 4U) != 0 ? "LDT" : "GDT",
                        *pattern.selector & ~3U);
  }
  text += ')';
  if (pattern.address.has_value()) text += " on address " + to_string(*pattern.address);
  return text;
}

// What is said of a port whose log is not complete: an exact answer can't be given.
bool is_complete(const PortView& ports, ::testing::MatchResultListener* listener) {
  if (ports.dropped() == 0) return true;
  *listener << "whose port log is full: " << ports.dropped() << " accesses were not kept";
  return false;
}

std::string written(const PortView& ports, Port port) {
  const std::string text = ports.text(port);
  if (text.empty()) {
    std::string others;
    for (const Port other : ports.written_ports()) others += fmt::format(" {:#x}", other);
    return fmt::format("which wrote nothing to port {:#x}{}", port,
                       others.empty() ? " and to no other" : ", but to" + others);
  }
  const std::vector<std::uint8_t> bytes = ports.bytes(port);
  return fmt::format("which wrote \"{}\" ({:02x}) to port {:#x}", escape(text),
                     fmt::join(bytes, " "), port);
}

MemoryMatcher bytes_matcher(std::string expectation, Gpa gpa, std::vector<std::uint8_t> bytes) {
  return described<GuestMemory>(
      std::move(expectation),
      [gpa, bytes = std::move(bytes)](const GuestMemory& memory,
                                      ::testing::MatchResultListener* listener) {
        std::vector<std::uint8_t> actual;
        try {
          actual = memory.read_bytes(gpa, bytes.size());
        } catch (const MemoryError& error) {
          *listener << "which can't be read: " << error.what();
          return false;
        }
        if (actual == bytes) return true;
        *listener << "which differs:\n" << internal::hexdump_comparison(gpa, bytes, actual);
        return false;
      });
}

}  // namespace

OutcomeMatcher Halted() { return stopped_by<Halt>("halted"); }
OutcomeMatcher TripleFaulted() { return stopped_by<TripleFault>("ended in a triple fault"); }
OutcomeMatcher MadeSystemCall() { return stopped_by<SystemCall>("made a system call"); }
OutcomeMatcher TimedOut() { return stopped_by<Timeout>("timed out"); }
OutcomeMatcher FetchedUnbackedMemory() {
  return stopped_by<UnbackedFetch>("went to execute where there is no memory");
}
OutcomeMatcher HitHostLimit() { return stopped_by<HostLimit>("hit a limit of this host's KVM"); }
OutcomeMatcher MetStopCondition() {
  return stopped_by<ConditionMet>("stopped on a condition of the test's");
}

OutcomeMatcher Raised(const ExceptionPattern& exception) {
  return described<Outcome>(
      expectation_of(exception),
      [exception](const Outcome& outcome, ::testing::MatchResultListener*) {
        const auto* const raised = std::get_if<Exception>(&outcome.stop);
        return raised != nullptr && !raised->software && raised->vector == exception.vector &&
               names_selector(*raised, exception.selector) &&
               (!exception.error_code || raised->error_code == exception.error_code) &&
               (!exception.address || raised->address == exception.address);
      });
}

OutcomeMatcher Raised(Vector vector) {
  return described<Outcome>(fmt::format("raised {} ({})", mnemonic(vector), description(vector)),
                            [vector](const Outcome& outcome, ::testing::MatchResultListener*) {
                              const auto* const raised = std::get_if<Exception>(&outcome.stop);
                              return raised != nullptr && raised->vector == vector;
                            });
}

OutcomeMatcher CalledInterrupt(std::uint8_t number) {
  return described<Outcome>(fmt::format("called INT {:#04x}", number),
                            [number](const Outcome& outcome, ::testing::MatchResultListener*) {
                              const auto* const raised = std::get_if<Exception>(&outcome.stop);
                              return raised != nullptr && raised->software &&
                                     raised->vector == Vector{number};
                            });
}

OutcomeMatcher WroteMatching(Port port, const ::testing::Matcher<std::string>& text) {
  std::ostringstream expectation;
  expectation << fmt::format("wrote text to port {:#x} that ", port);
  text.DescribeTo(&expectation);
  return described<Outcome>(
      expectation.str(),
      [port, text](const Outcome& outcome, ::testing::MatchResultListener* listener) {
        if (!is_complete(outcome.ports, listener)) return false;
        *listener << written(outcome.ports, port);
        return text.Matches(outcome.ports.text(port));
      });
}

OutcomeMatcher Wrote(Port port, std::string_view text) {
  return described<Outcome>(
      fmt::format("wrote \"{}\" to port {:#x}", escape(std::string{text}), port),
      [port, text = std::string{text}](const Outcome& outcome,
                                       ::testing::MatchResultListener* listener) {
        if (!is_complete(outcome.ports, listener)) return false;
        *listener << written(outcome.ports, port);
        return outcome.ports.text(port) == text;
      });
}

OutcomeMatcher WroteValues(Port port,
                           const ::testing::Matcher<std::vector<std::uint32_t>>& values) {
  std::ostringstream expectation;
  expectation << fmt::format("wrote values to port {:#x} that ", port);
  values.DescribeTo(&expectation);
  return described<Outcome>(
      expectation.str(),
      [port, values](const Outcome& outcome, ::testing::MatchResultListener* listener) {
        if (!is_complete(outcome.ports, listener)) return false;
        const std::vector<std::uint32_t> written = outcome.ports.values(port);
        *listener << fmt::format("which wrote {{{:#x}}} ", fmt::join(written, ", "));
        return values.MatchAndExplain(written, listener);
      });
}

MemoryMatcher HasBytes(Gpa gpa, std::vector<std::uint8_t> bytes) {
  std::string expectation =
      fmt::format("has {} at {}", internal::counted(bytes.size(), "byte"), to_string(gpa));
  return bytes_matcher(std::move(expectation), gpa, std::move(bytes));
}

MemoryMatcher HasText(Gpa gpa, std::string_view text) {
  return bytes_matcher(fmt::format("has \"{}\" at {}", escape(std::string{text}), to_string(gpa)),
                       gpa, {text.begin(), text.end()});
}

}  // namespace hltest
