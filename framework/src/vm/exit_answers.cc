#include "vm/exit_answers.h"

#include <cstring>
#include <type_traits>

#include "vm/guest_memory.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

// What ends a run by itself.
template <typename Form>
std::optional<Ending> ending_of(const Form& form) {
  if constexpr (std::is_same_v<Form, kvm::DebugExit>) {
    constexpr std::uint32_t kKvmExitDebug = 4;  // nobody is stepping here
    return kvm::UnknownExit{kKvmExitDebug};
  } else if constexpr (std::is_constructible_v<Ending, Form>) {
    return form;
  } else {
    return std::nullopt;  // an interruption
  }
}

}  // namespace

std::optional<Ending> ExitAnswers::answer(const kvm::Exit& exit) {
  return std::visit(
      [this](const auto& form) -> std::optional<Ending> {
        if constexpr (requires { this->answer_exit(form); }) {
          return this->answer_exit(form);
        } else {
          return ending_of(form);
        }
      },
      exit);
}

std::optional<Ending> ExitAnswers::answer_exit(const kvm::IoExit& io) {
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

std::optional<Ending> ExitAnswers::answer_exit(const kvm::MmioExit& mmio) {
  Access access{.space = Space::kMmio,
                .direction = mmio.is_write ? Direction::kWrite : Direction::kRead,
                .size = static_cast<std::uint8_t>(mmio.data.size()),
                .address = mmio.gpa.value()};
  if (mmio.is_write) std::memcpy(&access.value, mmio.data.data(), mmio.data.size());
  if (!serve(access)) return Refused{};
  if (!mmio.is_write) std::memcpy(mmio.data.data(), &access.value, mmio.data.size());
  return std::nullopt;
}

std::optional<Ending> ExitAnswers::answer_exit(const kvm::MsrExit& msr) {
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
std::optional<Ending> ExitAnswers::answer_exit(const kvm::InternalErrorExit& error) {
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

std::optional<Ending> ExitAnswers::answer_exit(const kvm::ShutdownExit& shutdown) {
  guest_.set_is_dead();
  return shutdown;
}

void ExitAnswers::set_a20(bool is_open) {
  if (is_open == guest_.a20_is_open()) return;
  guest_.set_a20(is_open);
  const A20Change change{.access = guest_.accesses(), .is_open = is_open};
  for (Observer* const observer : observers_) observer->on_a20(change);
}

bool ExitAnswers::serve(Access& access) {
  if (!bus_.answer(access, *this)) return false;
  note(access);
  return true;
}

void ExitAnswers::note(const Access& access) {
  std::vector<MemoryWrite> writes = MachineMemory{guest_.memory_view()}.take_writes();
  for (MemoryWrite& write : writes) write.access = guest_.accesses();
  for (Observer* const observer : observers_) observer->on_access(access, writes);
  guest_.count_access();
}

bool ExitAnswers::serve_handler(Observer& observer, const Exception& exception,
                                const Registers& registers) {
  ServiceCall call{.access = guest_.accesses(),
                   .vector = exception.vector,
                   .before = registers,
                   .after = registers};
  if (!observer.on_handler(call, *this)) return false;
  if (stopped_) stopped_->instruction_length = exception.instruction_length;
  note({.space = Space::kInterrupt,
        .direction = Direction::kRead,
        .size = 4,
        .address = static_cast<std::uint64_t>(exception.vector),
        .value = registers.eax()});
  for (Observer* const each : observers_) each->on_service(call);
  guest_.set_registers(call.after);
  return true;
}

}  // namespace hltest::internal
