#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <hltest/device.h>
#include <hltest/stop_reason.h>

#include "bus/bus.h"
#include "kvm/exit.h"
#include "vm/guest.h"
#include "vm/observer.h"
#include "vm/run.h"

namespace hltest::internal {

/// What `run` does about the exits of one run: the bus answers accesses, observers see them, and
/// any other exit ends the run. Devices see the guest through it.
class ExitAnswers : public GuestView {
 public:
  ExitAnswers(Guest& guest, Bus& bus, std::span<Observer* const> observers)
      : guest_(guest), bus_(bus), observers_(observers) {}

  [[nodiscard]] Registers registers() const override { return guest_.registers(); }
  [[nodiscard]] GuestMemory& memory() override { return guest_.memory_view(); }
  [[nodiscard]] std::uint64_t accesses() const override { return guest_.accesses(); }
  [[nodiscard]] bool a20_is_open() const override { return guest_.a20_is_open(); }
  void set_a20(bool is_open) override;
  void stop(std::string condition) override {
    if (!stopped_) stopped_ = Stopped{std::move(condition)};
  }

  /// Answers an access; for any other exit returns what it ends the run with.
  std::optional<Ending> answer(const kvm::Exit& exit);
  /// Lets `observer` serve the handler that the guest has come to by an exception or an INT n, with
  /// these registers.
  bool serve_handler(Observer& observer, const Exception& exception, const Registers& registers);
  /// Set once a device or a function of the test's has ended the run.
  [[nodiscard]] const std::optional<Stopped>& stopped() const { return stopped_; }

 private:
  std::optional<Ending> answer_exit(const kvm::IoExit& io);
  std::optional<Ending> answer_exit(const kvm::MmioExit& mmio);
  std::optional<Ending> answer_exit(const kvm::MsrExit& msr);
  std::optional<Ending> answer_exit(const kvm::InternalErrorExit& error);
  std::optional<Ending> answer_exit(const kvm::ShutdownExit& shutdown);
  bool serve(Access& access);
  // Tells the observers of an access, and counts it.
  void note(const Access& access);

  Guest& guest_;
  Bus& bus_;
  std::span<Observer* const> observers_;
  std::optional<Stopped> stopped_;
  std::optional<Registers> undefined_at_;
};

}  // namespace hltest::internal
