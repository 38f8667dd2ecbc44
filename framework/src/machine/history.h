#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/register_name.h>

namespace hltest {

/// One instruction that a guest executed.
struct HistoryStep {
  Gva address{};
  std::optional<Gpa> gpa = std::nullopt;  ///< where it is in memory
  CpuMode mode{};
  std::string instruction{};
  /// The registers that it changed, with their values behind it; not RIP.
  std::vector<NamedValue> changes{};
};

/// What a replay of a run showed of its end (trace/replay.h).
struct History {
  /// How many instructions before the fault are kept.
  static constexpr std::size_t kMostSteps = 16;

  /// Why the run could not be replayed to its end; empty where it was. Then only `left_image_at`
  /// may be there, from as far as it could.
  std::string failure{};
  /// The last instructions before the one that did not end well, the oldest first.
  std::vector<HistoryStep> steps{};
  /// Where the run ended outside the image: the last instruction inside.
  std::optional<HistoryStep> left_image_at = std::nullopt;
  /// What else is wrong with the guest's code and stack there, a sentence each.
  std::vector<std::string> findings{};
};

}  // namespace hltest
