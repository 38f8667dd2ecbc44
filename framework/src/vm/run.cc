#include "vm/run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "vm/deadline.h"
#include "vm/guest_memory.h"
#include "vm/halt_meaning.h"
#include "vm/stepping.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

using kvm::Exit;

constexpr std::chrono::seconds kLongestStep{4};
constexpr std::chrono::milliseconds kStepCheck{250};

class Engine : public GuestView {
 public:
  Engine(Guest& guest, Bus& bus, const Limits& limits, std::span<Observer* const> observers)
      : guest_(guest), bus_(bus), limits_(limits), observers_(observers), deadline_(limits.wall) {
    guest_.vcpu().set_signal_mask(deadline_.mask_in_guest());
    if (limits.tick) deadline_.wake_in(*limits.tick);
    if (limits.single_step) deadline_.wake_in(kStepCheck);
  }

  Ending run() {
    if (limits_.accesses && guest_.accesses() >= *limits_.accesses) return AccessesDone{};
    // The guest executes nothing here, but KVM says whether it can take an interrupt.
    if (bus_.interrupt()) static_cast<void>(guest_.vcpu().complete_instruction());
    for (std::uint64_t steps = 0;; ++steps) {
      if (deadline_.has_passed()) return TimeUp{};
      if (limits_.instructions && steps >= *limits_.instructions) return InstructionsDone{};
      std::optional<Ending> ending = limits_.single_step ? step() : enter();
      if (ending && !goes_on_after(*ending)) return *std::move(ending);
    }
  }

  // What devices see.
  [[nodiscard]] Registers registers() const override { return guest_.registers(); }
  [[nodiscard]] GuestMemory& memory() override { return guest_.memory_view(); }
  [[nodiscard]] std::uint64_t accesses() const override { return guest_.accesses(); }
  void stop(std::string condition) override {
    if (!stopped_) stopped_ = Stopped{std::move(condition)};
  }

 private:
  // Lets the guest run to its next exit, and answers that.
  std::optional<Ending> enter() {
    if (const auto vector = interrupt_to_deliver()) inject(*vector);
    guest_.forget_registers();
    const Exit exit = guest_.vcpu().run();
    if (is_interruption(exit)) return std::nullopt;
    if (std::optional<Ending> ending = answer(exit)) return ending;
    if (stopped_) return finish_access(*stopped_);
    if (limits_.accesses && guest_.accesses() >= *limits_.accesses) {
      return finish_access(AccessesDone{});
    }
    return std::nullopt;
  }

  // Executes one instruction; of a string instruction one element.
  std::optional<Ending> step() {
    if (const auto vector = interrupt_to_deliver()) {
      if (std::optional<Ending> ending = step_into_handler(*vector)) return ending;
    }
    const Step now = look(guest_);
    for (Observer* const observer : observers_) observer->on_step(now, guest_);
    if (sets_trap_flag(now, guest_)) return SetsTrapFlag{};
    BreakpointPatches patches{guest_, limits_.breakpoints};
    std::optional<Ending> ending = execute_one(now.before);
    if (patches.bring_back()) return std::nullopt;
    if (ending) return ending;
    hide_trap_flag(now, guest_);
    if (has_come_to_a_handler(now, guest_)) return kvm::HltExit{};
    return std::nullopt;
  }

  // Delivers an interrupt without stepping: KVM steps by TF, and the processor would push it.
  std::optional<Ending> step_into_handler(Vector vector) {
    std::vector<Gva> handlers;
    if (const auto handler = handler_of(vector, guest_.tables())) handlers.push_back(*handler);
    inject(vector);
    guest_.vcpu().set_single_step(false);
    BreakpointPatches patches{guest_, handlers};
    for (;;) {
      guest_.forget_registers();
      const Exit exit = guest_.vcpu().run();
      if (patches.bring_back()) return std::nullopt;
      if (!is_interruption(exit)) {
        if (std::optional<Ending> ending = answer(exit)) return ending;
      }
      if (deadline_.has_passed()) return TimeUp{};
    }
  }

  std::optional<Ending> execute_one(const Registers& before) {
    guest_.vcpu().set_single_step(true);
    std::optional<std::chrono::microseconds> first_interruption;
    for (;;) {
      guest_.forget_registers();
      Exit exit = guest_.vcpu().run();
      if (std::holds_alternative<kvm::DebugExit>(exit)) return std::nullopt;
      if (is_interruption(exit)) {
        const std::chrono::microseconds now = processor_time();
        if (!first_interruption) first_interruption = now;
        if (now - *first_interruption >= kLongestStep) return TimeUp{};
      } else {
        if (std::optional<Ending> ending = answer(exit)) return ending;
        std::optional<Ending> ending = finish_access(InstructionsDone{});
        if (stopped_) return *stopped_;
        if (ending && !std::holds_alternative<InstructionsDone>(*ending)) return ending;
        if (was_stepped_) return std::nullopt;
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
    was_stepped_ = false;
    for (;;) {
      guest_.forget_registers();
      const Exit exit = guest_.vcpu().complete_instruction();
      if (std::holds_alternative<kvm::InterruptedExit>(exit)) return then;
      if (std::holds_alternative<kvm::DebugExit>(exit)) {
        was_stepped_ = true;
        return then;
      }
      if (std::holds_alternative<Stopped>(then)) return then;
      if (std::optional<Ending> ending = answer(exit)) return ending;
    }
  }

  // A signal, or the guest's readiness for an interrupt: nothing that it did itself.
  bool is_interruption(const Exit& exit) {
    if (std::holds_alternative<kvm::InterruptWindowExit>(exit)) return true;
    if (!std::holds_alternative<kvm::InterruptedExit>(exit)) return false;
    // Any other signal is the program's own affair, and was delivered.
    deadline_.take_signal();
    if (limits_.single_step) deadline_.wake_in(kStepCheck);
    if (limits_.tick && !deadline_.has_passed()) {
      std::chrono::microseconds next = std::chrono::hours{24};
      for (Observer* const observer : observers_) {
        next = std::min(next, observer->on_tick(guest_));
      }
      deadline_.wake_in(next);
    }
    return true;
  }

  // Answers an access; for any other exit returns what it ends the run with.
  std::optional<Ending> answer(const Exit& exit) {
    return std::visit(
        [this](const auto& form) -> std::optional<Ending> { return this->answer_exit(form); },
        exit);
  }

  std::optional<Ending> answer_exit(const kvm::IoExit& io) {
    for (std::size_t at = 0; at < io.data.size(); at += io.size) {
      const std::span<std::uint8_t> element = io.data.subspan(at, io.size);
      Access access{.space = Space::kPort,
                    .direction = io.is_out ? Direction::kWrite : Direction::kRead,
                    .size = io.size,
                    .address = io.port};
      if (io.is_out) std::memcpy(&access.value, element.data(), element.size());
      if (!serve(access)) return Refused{};
      if (!io.is_out) std::memcpy(element.data(), &access.value, element.size());
      if (stopped_) break;
    }
    return std::nullopt;
  }

  std::optional<Ending> answer_exit(const kvm::MmioExit& mmio) {
    Access access{.space = Space::kMmio,
                  .direction = mmio.is_write ? Direction::kWrite : Direction::kRead,
                  .size = static_cast<std::uint8_t>(mmio.data.size()),
                  .address = mmio.gpa.value()};
    if (mmio.is_write) std::memcpy(&access.value, mmio.data.data(), mmio.data.size());
    if (!serve(access)) return Refused{};
    if (!mmio.is_write) std::memcpy(mmio.data.data(), &access.value, mmio.data.size());
    return std::nullopt;
  }

  std::optional<Ending> answer_exit(const kvm::MsrExit& msr) {
    Access access{.space = Space::kMsr,
                  .direction = msr.is_write ? Direction::kWrite : Direction::kRead,
                  .size = 8,
                  .address = msr.index,
                  .value = msr.is_write ? msr.data : 0};
    if (!serve(access)) return Refused{};
    if (access.answered) {
      guest_.vcpu().answer_msr(access.value);
    } else {
      guest_.vcpu().refuse_msr();
    }
    return std::nullopt;
  }

  // The processor would raise #UD where KVM's emulator gives up. Where the guest has come no
  // further since, it could not be delivered.
  std::optional<Ending> answer_exit(const kvm::InternalErrorExit& error) {
    if (error.suberror != kvm::InternalErrorExit::kEmulation) return error;
    const Registers& now = guest_.registers();
    const auto code = guest_.tables(now).read(now.code_address(), kLongestInstruction);
    const bool is_undefined = raises_by_itself(code, cpu_mode(now), Vector::kInvalidOpcode);
    if (!is_undefined || undefined_at_ == now) return error;
    undefined_at_ = now;
    guest_.vcpu().set_pending_events(
        {.exception = {.injected = true,
                       .vector = static_cast<std::uint8_t>(Vector::kInvalidOpcode)}});
    return std::nullopt;
  }

  std::optional<Ending> answer_exit(const kvm::ShutdownExit& shutdown) {
    guest_.set_is_dead();
    return shutdown;
  }
  static std::optional<Ending> answer_exit(const kvm::HltExit& hlt) { return hlt; }
  static std::optional<Ending> answer_exit(const kvm::FailEntryExit& failure) { return failure; }
  static std::optional<Ending> answer_exit(const kvm::UnknownExit& exit) { return exit; }
  // Nobody is stepping here.
  static std::optional<Ending> answer_exit(const kvm::DebugExit&) {
    constexpr std::uint32_t kKvmExitDebug = 4;
    return kvm::UnknownExit{kKvmExitDebug};
  }
  static std::optional<Ending> answer_exit(const kvm::InterruptedExit&) { return std::nullopt; }
  static std::optional<Ending> answer_exit(const kvm::InterruptWindowExit&) { return std::nullopt; }

  bool serve(Access& access) {
    if (!bus_.answer(access, *this)) return false;
    std::vector<MemoryWrite> writes = MachineMemory{guest_.memory_view()}.take_writes();
    for (MemoryWrite& write : writes) write.access = guest_.accesses();
    for (Observer* const observer : observers_) observer->on_access(access, writes);
    guest_.count_access();
    return true;
  }

  // What devices request, where the guest can take it now.
  std::optional<Vector> interrupt_to_deliver() {
    const std::optional<Vector> vector = bus_.interrupt();
    if (vector != requested_) {
      requested_ = vector;
      requested_since_ = guest_.accesses();
      if (!vector) guest_.vcpu().request_interrupt_window(false);
    }
    if (!vector) return std::nullopt;
    if (guest_.vcpu().is_ready_for_interrupt()) return vector;
    // While it steps, it is asked before each instruction.
    if (!limits_.single_step) guest_.vcpu().request_interrupt_window(true);
    return std::nullopt;
  }

  void inject(Vector vector) {
    guest_.vcpu().request_interrupt_window(false);
    guest_.vcpu().inject_interrupt(vector);
    bus_.acknowledge(vector);
    guest_.count_interrupt();
    for (Observer* const observer : observers_) {
      observer->on_interrupt({.access = requested_since_, .vector = vector});
    }
    requested_.reset();
  }

  // True when a HLT waits for an interrupt that comes, or was a handler's that an observer has
  // served.
  bool goes_on_after(const Ending& ending) {
    if (!std::holds_alternative<kvm::HltExit>(ending)) return false;
    if (bus_.interrupt() && guest_.vcpu().has_interrupts_enabled()) return true;
    return std::ranges::any_of(observers_, [this](Observer* observer) {
      return observer->serves_handlers() && is_served_by(*observer);
    });
  }

  bool is_served_by(Observer& observer) {
    const HaltMeaning meaning = interpret_halt(guest_);
    const auto* const exception = std::get_if<Exception>(&meaning.reason);
    if (exception == nullptr) return false;
    Registers registers = meaning.registers;
    if (!observer.on_handler(exception->vector, registers, *this)) return false;
    guest_.set_registers(registers);
    return true;
  }

  Guest& guest_;
  Bus& bus_;
  const Limits& limits_;
  std::span<Observer* const> observers_;
  Deadline deadline_;
  std::optional<Stopped> stopped_;
  std::optional<Vector> requested_;
  std::uint64_t requested_since_ = 0;
  std::optional<Registers> undefined_at_;
  bool was_stepped_ = false;
};

}  // namespace

Step look(const Guest& guest) {
  Step step{.before = guest.registers()};
  const GuestTables tables = guest.tables(step.before);
  const Gva at = step.before.code_address();
  step.gpa = tables.translate(at);
  step.code = tables.read(at, kLongestInstruction);
  return step;
}

Ending run(Guest& guest, Bus& bus, const Limits& limits, std::span<Observer* const> observers) {
  Engine engine{guest, bus, limits, observers};
  Ending ending = engine.run();
  if (limits.single_step) guest.vcpu().set_single_step(false);
  return ending;
}

}  // namespace hltest::internal
