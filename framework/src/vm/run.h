#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bus/bus.h"
#include "kvm/exit.h"
#include "vm/guest.h"
#include "vm/observer.h"

namespace hltest::internal {

/// How far `run` goes.
struct Limits {
  std::chrono::microseconds wall = std::chrono::seconds{5};  ///< more than 0
  /// Ends after the guest has made so many accesses since its run began, with the instruction that
  /// made the last of them completed.
  std::optional<std::uint64_t> accesses = std::nullopt;
  /// Executes one instruction at a time (KVM may join some), and calls `on_step` before each. A
  /// step that takes seconds, in which exceptions are delivered without end, is `TimeUp`.
  bool single_step = false;
  /// With `single_step`: ends after so many.
  std::optional<std::uint64_t> instructions = std::nullopt;
  /// With `single_step`: linear addresses that a step stops at where it would pass them. The
  /// delivery of an exception ends single-stepping, so these are handlers of the guest's.
  std::vector<Gva> breakpoints{};
  /// Calls `on_tick` after this time.
  std::optional<std::chrono::microseconds> tick = std::nullopt;
};

/// How `run` ended. Besides KVM's own exits:
struct TimeUp {};            ///< `Limits::wall`
struct AccessesDone {};      ///< `Limits::accesses`
struct InstructionsDone {};  ///< `Limits::instructions`
struct Refused {};           ///< the bus had no answer to an access
struct Stopped {             ///< a device or a function of the test's ended it
  std::string condition;
  unsigned instruction_length = 0;  ///< of the INT n that the guest called it by
};
struct SetsTrapFlag {};  ///< before a POPF that sets RFLAGS.TF, which single-stepping itself uses

/// A `HltExit` leaves RIP after the HLT.
using Ending = std::variant<kvm::HltExit, kvm::ShutdownExit, kvm::InternalErrorExit,
                            kvm::FailEntryExit, kvm::UnknownExit, TimeUp, AccessesDone,
                            InstructionsDone, Refused, Stopped, SetsTrapFlag>;

/// Runs a guest until something ends it: the only loop round KVM_RUN. Its accesses are answered by
/// `bus`, its HLTs in the framework's handlers served by an observer that wants to, and interrupts
/// that a device requests are delivered. Throws `HostError`, and what devices and observers throw.
Ending run(Guest& guest, Bus& bus, const Limits& limits, std::span<Observer* const> observers = {});

}  // namespace hltest::internal
