#pragma once

#include <cstdint>
#include <set>

#include <hltest/access.h>

#include "bus/bus.h"
#include "vm/observer.h"

namespace hltest::internal {

/// Answers a guest's accesses and its calls of services as a log has them, and does to memory
/// and to the A20 gate what devices and services did then. It has no answer to what is not the
/// log's next.
class LogPlayer : public Bus, public Observer {
 public:
  /// From the log's access and interrupt on that are given, counted from 0, and after so many
  /// instructions that were stepped.
  LogPlayer(AccessLog log, std::uint64_t access, std::uint64_t interrupt,
            std::uint64_t instructions);

  bool answer(Access& access, GuestView& guest) override;
  [[nodiscard]] std::optional<Vector> interrupt() const override;
  void acknowledge(Vector vector) override;
  void halted(GuestView& /*guest*/) override { is_halted_ = true; }
  /// True while an interrupt has to come at an instruction.
  [[nodiscard]] bool wants_steps() const override { return next_interrupt_ < exact_interrupts_; }
  void on_instruction(GuestView& guest, std::uint64_t executed) override;
  [[nodiscard]] bool serves_handlers() const override { return !log_.calls().empty(); }
  bool on_handler(ServiceCall& call, GuestView& guest) override;

  /// The interrupt that comes next if the guest halts now.
  [[nodiscard]] std::optional<Vector> interrupt_at_halt() const;
  /// True when the guest has made all accesses of the log.
  [[nodiscard]] bool is_at_end() const { return next_ >= log_.size(); }

 private:
  // The log's next interrupt, if the guest has made the accesses before it.
  [[nodiscard]] const InterruptRequest* next_request() const;
  // What the log's next access had done to memory and to the A20 gate; then that access is done.
  void repeat_effects(GuestView& guest);

  AccessLog log_;
  std::uint64_t next_;
  std::uint64_t next_interrupt_;
  std::uint64_t instructions_;
  std::uint64_t exact_interrupts_ = 0;  // up to the last that came at an instruction
  std::set<Gva> visited_;               // of their addresses
  bool is_halted_ = false;
};

/// True when a log has everything that a replay needs.
bool is_complete(const AccessLog& log);

}  // namespace hltest::internal
