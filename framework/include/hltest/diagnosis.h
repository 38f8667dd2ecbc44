#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hltest/outcome.h>
#include <hltest/x86/register_name.h>

namespace hltest {

/// One instruction that a guest executed.
struct HistoryStep {
  Gva address{};
  CpuMode mode{};
  std::string instruction{};
  std::optional<SourcePlace> source = std::nullopt;
  /// The registers that it changed, with their values after it; not RIP.
  std::vector<NamedValue> changes{};
};

/// One instruction of a loop, and how often it ran while the guest was watched.
struct LoopStep {
  Gva address{};
  std::string instruction{};
  std::optional<SourcePlace> source = std::nullopt;
  std::uint64_t count = 0;
};

/// One instruction of the code where a guest stopped.
struct CodeLine {
  Gva address{};
  std::vector<std::uint8_t> bytes{};
  std::string instruction{};
};

/// What became of a guest, and why: a value.
struct Diagnosis {
  /// How many instructions before the end are kept.
  static constexpr std::size_t kMostSteps = 16;

  /// The guest's name, and what ended it: `boot ended: #DE (divide error, vector 0)`.
  std::string headline{};
  /// The second half of that alone.
  std::string reason{};
  StopReason stop{};
  /// The exception that ended it, or that a triple fault began with.
  std::optional<Exception> fault = std::nullopt;

  /// Where it stopped, and the registers there; for a triple fault the place of its first fault,
  /// and the registers from before that. Nothing where the registers are lost.
  struct Place {
    Gva address{};
    Registers registers{};
    std::string mode{};                                  ///< as `mode_name` says it
    std::optional<std::uint64_t> offset = std::nullopt;  ///< in the image
    std::optional<SourcePlace> source = std::nullopt;
    std::vector<CodeLine> code{};  ///< around it
  };
  std::optional<Place> place = std::nullopt;
  /// The mode that it started in, likewise.
  std::string start_mode{};
  Gpa image_start{};
  std::uint64_t image_size = 0;
  /// True when what it stopped at is not in the image: it ran past the image's end, or jumped away.
  bool is_outside_image = false;

  /// True when the fault is no exception but an interrupt, which a device had requested.
  bool is_interrupt = false;
  /// Why the processor raised the fault, in one sentence; empty where nothing tells.
  std::string cause{};
  /// Why a triple fault's exception (without a replay: a double fault) could not be delivered.
  std::string undelivered{};
  /// Code that was assembled for another size than the processor takes it for.
  std::string remark{};
  /// What a guest that timed out waits for: `waits for bit 0 of port 0x64, which always read 0xff`.
  std::string waits_for{};
  /// What else is wrong with the guest's code and stack, a sentence each.
  std::vector<std::string> findings{};

  /// The last instructions before the one that did not end well, the oldest first.
  std::vector<HistoryStep> history{};
  /// Where the run ended outside the image: the last instruction inside.
  std::optional<HistoryStep> left_image_at = std::nullopt;
  /// Why the run could not be replayed to its end; empty where it was, or needed not to be.
  std::string not_replayed{};
  /// What a guest that timed out did next, by address, and how many instructions were watched.
  std::vector<LoopStep> loop{};
  std::uint64_t watched_instructions = 0;

  /// What the screen of a guest that booted shows.
  std::optional<Screen> screen = std::nullopt;
  AccessLog accesses{};
};

/// What became of a guest, and why. For a run that went wrong this runs the guest a second time, in
/// a VM of its own that begins with what the first began with and gets the same answers at its
/// ports, MMIO and MSRs, from the log: the test's functions and devices are not called. That run is
/// stepped to its end. Where it does not come to the same end, `not_replayed` says so.
///
/// The outcome's machine need not be there any more. Takes some seconds at most; on an emulated
/// machine, where a step takes milliseconds, a minute. Throws nothing that KVM says.
Diagnosis diagnose(const Outcome& outcome);

/// One screen (80 columns, at most 50 lines) that tells what became of a guest: why and where it
/// stopped, the instructions there, its registers, and what it exchanged with ports and MMIO.
std::string to_text(const Diagnosis& diagnosis);
/// The same with escape sequences for a terminal: what stopped the guest, the cause and the
/// instruction stand out.
std::string to_coloured_text(const Diagnosis& diagnosis);

/// `to_text(diagnose(outcome))`.
std::string report(const Outcome& outcome);

/// A byte string as a C literal without quotes: `4\\`, `\n`, `\x1b`.
std::string escape(const std::string& text);

}  // namespace hltest
