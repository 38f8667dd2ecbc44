#include "vm/run.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "vm/breakpoints.h"
#include "vm/deadline.h"
#include "vm/exit_answers.h"
#include "vm/halt_meaning.h"
#include "vm/interrupt_delivery.h"
#include "vm/stepping.h"
#include "vm/trap_flag.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

using kvm::Exit;

constexpr std::chrono::milliseconds kStepCheck{250};

class Engine {
 public:
  Engine(Guest& guest, Bus& bus, const Limits& limits, std::span<Observer* const> observers)
      : guest_(guest),
        bus_(bus),
        limits_(limits),
        observers_(observers),
        answers_(guest, bus, observers),
        interrupts_(guest, bus, observers),
        breakpoints_(guest, observers),
        deadline_(limits.wall) {
    guest_.vcpu().set_signal_mask(deadline_.mask_in_guest());
    if (limits.tick) deadline_.wake_in(*limits.tick);
    if (limits.single_step) deadline_.wake_in(kStepCheck);
  }

  Ending run() {
    if (limits_.accesses && guest_.accesses() >= *limits_.accesses) return AccessesDone{};
    // The guest executes nothing here, but KVM says whether it can take an interrupt.
    if (bus_.interrupt()) static_cast<void>(guest_.vcpu().complete_instruction());
    for (;;) {
      if (deadline_.has_passed()) return TimeUp{};
      std::optional<Ending> ending = chooses_to_step() ? step() : enter();
      if (!ending) continue;
      const bool goes_on = goes_on_after(*ending);
      if (const auto& stopped = answers_.stopped()) return *stopped;
      if (!goes_on) return *std::move(ending);
      if (limits_.accesses && guest_.accesses() >= *limits_.accesses) return AccessesDone{};
    }
  }

 private:
  // Besides where it has to: while an interrupt waits for the guest to enable interrupts, because
  // there are KVMs that tell of it only some time later.
  bool chooses_to_step() {
    constexpr std::uint64_t kMostSteps = 1000;
    steps_for_interrupt_ = interrupts_.is_waiting() ? steps_for_interrupt_ + 1 : 0;
    const bool wants_steps = breakpoints_.need_steps() ||
                             (steps_for_interrupt_ > 0 && steps_for_interrupt_ <= kMostSteps) ||
                             std::ranges::any_of(observers_, &Observer::wants_steps);
    const bool steps = limits_.single_step || (wants_steps && !has_set_trap_flag_);
    if (is_stepping_ && !steps) guest_.vcpu().set_single_step(false);
    was_stepping_ = is_stepping_;
    is_stepping_ = steps;
    return steps;
  }

  // Lets the guest run to its next exit, and answers that.
  std::optional<Ending> enter() {
    if (const auto vector = interrupts_.due(false)) {
      interrupts_.deliver(*vector);
    } else if (interrupts_.is_waiting() && steps_for_interrupt_ == 0) {
      return std::nullopt;  // chooses anew
    } else if (interrupts_.is_waiting_nmi()) {
      interrupts_.deliver(Vector::kNonMaskableInterrupt);  // KVM holds it off itself
    }
    breakpoints_.set();
    guest_.forget_registers();
    const Exit exit = guest_.vcpu().run();
    if (const auto address = breakpoints_.reached(exit)) {
      interrupts_.set_breakpoint(*address);
      return std::nullopt;
    }
    if (is_interruption(exit)) {
      if (limits_.tick && jumps_to_itself(guest_))
        static_cast<void>(interrupts_.wake(answers_, true));
      return answers_.stopped() ? std::optional<Ending>{*answers_.stopped()} : std::nullopt;
    }
    if (std::optional<Ending> ending = answers_.answer(exit)) return ending;
    if (const auto& stopped = answers_.stopped()) return finish_access(*stopped);
    if (limits_.accesses && guest_.accesses() >= *limits_.accesses) {
      return finish_access(AccessesDone{});
    }
    return std::nullopt;
  }

  // Executes one instruction; of a string instruction one element.
  std::optional<Ending> step() {
    breakpoints_.forget();  // stepping takes their place
    if (!is_at_a_handler(guest_)) {
      for (Observer* const observer : observers_) {
        observer->on_instruction(answers_, guest_.instructions());
      }
      if (const auto& stopped = answers_.stopped()) return *stopped;
    }
    if (const auto vector = interrupts_.due(was_stepping_)) {
      if (std::optional<Ending> ending = step_into_handler(*vector)) return ending;
    }
    // An interrupt that comes before the next instruction has come by then.
    if (limits_.instructions && steps_ >= *limits_.instructions) return InstructionsDone{};
    guest_.vcpu().request_interrupt_window(false);  // it is asked before each instruction
    const Step now = look(guest_);
    if (!is_at_a_handler(guest_)) {
      ++steps_;
      guest_.count_instruction();
      for (Observer* const observer : observers_) observer->on_step(now, guest_);
    }
    if (pass_hlt(now, guest_)) return kvm::HltExit{};
    if (sets_trap_flag(now, guest_)) {
      if (limits_.single_step) return SetsTrapFlag{};
      has_set_trap_flag_ = true;  // which stepping would take away
      return std::nullopt;
    }
    if (const auto handler = handler_entered_by(now, guest_)) return run_to({*handler});
    if (const auto ends = ends_without_stepping(now, guest_); !ends.empty()) return run_to(ends);
    std::vector<Gva> stops = own_handlers(now, guest_);
    stops.insert(stops.end(), limits_.breakpoints.begin(), limits_.breakpoints.end());
    BreakpointPatches patches{guest_, stops};
    std::optional<Ending> ending = execute_one(now.before);
    const bool is_brought_back = patches.bring_back();
    if (is_brought_back || !ending || std::holds_alternative<kvm::HltExit>(*ending)) {
      hide_trap_flag(now, guest_);
    }
    if (is_brought_back) return std::nullopt;
    if (ending) return ending;
    if (has_come_to_a_handler(now, guest_)) return kvm::HltExit{};
    return std::nullopt;
  }

  // Delivers an interrupt without stepping: KVM steps by TF, and the processor would push it.
  std::optional<Ending> step_into_handler(Vector vector) {
    std::vector<Gva> handlers;
    if (const auto handler = handler_of(vector, guest_.tables())) handlers.push_back(*handler);
    interrupts_.deliver(vector);
    return run_to(handlers);
  }

  // Runs natively up to the first of these handlers.
  std::optional<Ending> run_to(const std::vector<Gva>& handlers) {
    guest_.vcpu().set_single_step(false);
    BreakpointPatches patches{guest_, handlers};
    StepTime time;
    for (;;) {
      guest_.forget_registers();
      const Exit exit = guest_.vcpu().run();
      if (patches.bring_back()) return std::nullopt;
      if (is_interruption(exit)) {
        if (time.is_up()) return TimeUp{};
      } else if (std::optional<Ending> ending = answers_.answer(exit)) {
        return ending;
      }
      if (deadline_.has_passed()) return TimeUp{};
    }
  }

  std::optional<Ending> execute_one(const Registers& before) {
    guest_.vcpu().set_single_step(true);
    StepTime time;
    for (;;) {
      guest_.forget_registers();
      Exit exit = guest_.vcpu().run();
      if (std::holds_alternative<kvm::DebugExit>(exit)) return std::nullopt;
      // The HLT of a handler that was served: the step there has executed it, and KVM tells now.
      const bool is_told_late =
          std::holds_alternative<kvm::HltExit>(exit) && guest_.registers().rip == before.rip;
      if (is_told_late || is_interruption(exit)) {
        if (time.is_up()) return TimeUp{};
      } else {
        if (std::optional<Ending> ending = answers_.answer(exit)) return ending;
        std::optional<Ending> ending = finish_access(InstructionsDone{});
        if (const auto& stopped = answers_.stopped()) return *stopped;
        if (ending && !std::holds_alternative<InstructionsDone>(*ending)) return ending;
        if (completed_as_step_) return std::nullopt;
        // KVM's emulator has no debug exit for an instruction that ends with a write to a port or
        // to MMIO.
        const Registers now = guest_.registers();
        if (now.rip != before.rip || now.rcx != before.rcx) return std::nullopt;
      }
      if (deadline_.has_passed()) return TimeUp{};
    }
  }

  // Completes the instruction whose access has just been answered, with all further accesses that
  // it makes.
  std::optional<Ending> finish_access(Ending then) {
    completed_as_step_ = false;
    for (;;) {
      guest_.forget_registers();
      const Exit exit = guest_.vcpu().complete_instruction();
      if (std::holds_alternative<kvm::InterruptedExit>(exit)) return then;
      if (std::holds_alternative<kvm::DebugExit>(exit)) {
        completed_as_step_ = true;
        return then;
      }
      if (std::holds_alternative<Stopped>(then)) return then;
      if (std::optional<Ending> ending = answers_.answer(exit)) return ending;
    }
  }

  // A signal, or the guest's readiness for an interrupt: nothing that it did itself.
  bool is_interruption(const Exit& exit) {
    if (std::holds_alternative<kvm::InterruptWindowExit>(exit)) return true;
    if (!std::holds_alternative<kvm::InterruptedExit>(exit)) return false;
    // Any other signal is the program's own affair, and was delivered.
    deadline_.take_signal();
    if (is_stepping_) deadline_.wake_in(kStepCheck);
    if (limits_.tick && !deadline_.has_passed()) {
      std::chrono::microseconds next = std::chrono::hours{24};
      for (Observer* const observer : observers_) {
        next = std::min(next, observer->on_tick(guest_));
      }
      deadline_.wake_in(next);
    }
    return true;
  }

  // True when a HLT waits for an interrupt that comes, or was a handler's that an observer has
  // served.
  bool goes_on_after(const Ending& ending) {
    if (!std::holds_alternative<kvm::HltExit>(ending)) return false;
    const bool is_handler = is_at_a_handler(guest_);
    if (!is_handler && interrupts_.wake(answers_, guest_.registers().rflags.if_())) return true;
    return std::ranges::any_of(observers_, [this](Observer* observer) {
      return observer->serves_handlers() && is_served_by(*observer);
    });
  }

  bool is_served_by(Observer& observer) {
    const HaltMeaning meaning = interpret_halt(guest_);
    const auto* const exception = std::get_if<Exception>(&meaning.reason);
    if (exception == nullptr) return false;
    Registers registers = meaning.registers;
    // KVM steps by TF, and INT n has pushed it.
    if (is_stepping_) registers.rflags.value &= ~Rflags::kTf;
    if (!answers_.serve_handler(observer, *exception, registers)) return false;
    if (exception->vector == Vector::kNonMaskableInterrupt) {
      // The IRET of a handler would let the next one in.
      PendingEvents events = guest_.vcpu().pending_events();
      events.nmi.masked = false;
      guest_.vcpu().set_pending_events(events);
    }
    // The next one may come before the guest goes on: KVM says whether it can take it.
    if (bus_.interrupt()) static_cast<void>(guest_.vcpu().complete_instruction());
    return true;
  }

  Guest& guest_;
  Bus& bus_;
  const Limits& limits_;
  std::span<Observer* const> observers_;
  ExitAnswers answers_;
  InterruptDelivery interrupts_;
  Breakpoints breakpoints_;
  Deadline deadline_;
  bool is_stepping_ = false;
  bool was_stepping_ = false;  // before the last choice
  bool has_set_trap_flag_ = false;
  std::uint64_t steps_for_interrupt_ = 0;
  std::uint64_t steps_ = 0;         // without those of the framework's handlers
  bool completed_as_step_ = false;  // by a debug exit, in finish_access
};

}  // namespace

Ending run(Guest& guest, Bus& bus, const Limits& limits, std::span<Observer* const> observers) {
  Engine engine{guest, bus, limits, observers};
  Ending ending = engine.run();
  if (limits.single_step) guest.vcpu().set_single_step(false);
  return ending;
}

}  // namespace hltest::internal
