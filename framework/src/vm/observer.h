#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <hltest/device.h>
#include <hltest/service_call.h>

#include "vm/guest.h"

namespace hltest::internal {

/// A guest before one step.
struct Step {
  Registers before{};
  std::vector<std::uint8_t> code{};  ///< at CS:RIP; empty where there is none
  std::optional<Gpa> gpa = std::nullopt;
};

/// Sees what a guest does while `run` runs it.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// An access was answered; a device wrote `writes` to memory meanwhile.
  virtual void on_access(const Access& /*access*/, std::span<const MemoryWrite> /*writes*/) {}
  /// A device or a service changed the A20 gate while it answered an access.
  virtual void on_a20(const A20Change& /*change*/) {}
  /// An interrupt was delivered that a device had requested since that access.
  virtual void on_interrupt(const InterruptRequest& /*request*/) {}
  /// With `Limits::single_step`, before each instruction.
  virtual void on_step(const Step& /*step*/, const Guest& /*guest*/) {}
  /// The guest has come to a HLT, which is not one of the framework's handlers'.
  virtual void on_halt(GuestView& /*guest*/) {}
  /// While it is true, `on_instruction` is called before each step, with the number of those that
  /// were stepped before.
  [[nodiscard]] virtual bool wants_steps() const { return false; }
  virtual void on_instruction(GuestView& /*guest*/, std::uint64_t /*executed*/) {}
  /// Linear addresses, four at most, before whose instructions `on_breakpoint` is called.
  [[nodiscard]] virtual const std::vector<Gva>& breakpoints() const {
    static const std::vector<Gva> none;
    return none;
  }
  virtual void on_breakpoint(Gva /*address*/) {}
  /// After `Limits::tick`; returns how long until the next.
  virtual std::chrono::microseconds on_tick(Guest& /*guest*/) { return std::chrono::hours{24}; }

  /// True when `on_handler` may serve something.
  [[nodiscard]] virtual bool serves_handlers() const { return false; }
  /// The guest came to the framework's handler for a vector. Returns true when it has been served:
  /// then the guest goes on with `call.after`, which is `call.before` until it is changed.
  virtual bool on_handler(ServiceCall& /*call*/, GuestView& /*guest*/) { return false; }
  /// An observer has served a handler. The call counts as an access, which was told before.
  virtual void on_service(const ServiceCall& /*call*/) {}
};

}  // namespace hltest::internal
