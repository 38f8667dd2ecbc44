#include "trace/log_player.h"

#include <algorithm>

#include <hltest/memory.h>

namespace hltest::internal {

bool is_complete(const AccessLog& log) {
  return log.dropped() == 0 && log.dropped_memory_writes() == 0 && log.dropped_calls() == 0;
}

LogPlayer::LogPlayer(AccessLog log, std::uint64_t access, std::uint64_t interrupt,
                     std::uint64_t instructions)
    : log_(std::move(log)), next_(access), next_interrupt_(interrupt), instructions_(instructions) {
  for (std::uint64_t i = 0; const InterruptRequest& request : log_.interrupts()) {
    ++i;
    if (request.instructions || request.address) exact_interrupts_ = i;
  }
}

void LogPlayer::on_instruction(GuestView& guest, std::uint64_t executed) {
  visited_.insert(guest.registers().code_address());
  instructions_ = executed;
}

bool LogPlayer::answer(Access& access, GuestView& guest) {
  if (is_at_end()) return false;
  const Access& logged = log_[next_];
  const bool is_the_same = logged.space == access.space && logged.address == access.address &&
                           logged.direction == access.direction && logged.size == access.size &&
                           (access.is_read() || logged.value == access.value);
  if (!is_the_same) return false;
  access = logged;
  repeat_effects(guest);
  return true;
}

void LogPlayer::repeat_effects(GuestView& guest) {
  const auto& writes = log_.memory_writes();
  for (auto write = std::ranges::lower_bound(writes, next_, {}, &MemoryWrite::access);
       write != writes.end() && write->access == next_; ++write) {
    guest.memory().write_bytes(write->gpa, write->bytes);
  }
  const auto& changes = log_.a20_changes();
  for (auto change = std::ranges::lower_bound(changes, next_, {}, &A20Change::access);
       change != changes.end() && change->access == next_; ++change) {
    guest.set_a20(change->is_open);
  }
  ++next_;
}

bool LogPlayer::on_handler(ServiceCall& call, GuestView& guest) {
  const auto& calls = log_.calls();
  const auto logged = std::ranges::lower_bound(calls, next_, {}, &ServiceCall::access);
  if (logged == calls.end() || logged->access != next_) return false;
  const GeneralRegisters& before = logged->before;
  const bool is_the_same = logged->vector == call.vector && call.before == before &&
                           call.before.code_address() == logged->before.code_address();
  if (!is_the_same) return false;
  call.after = logged->after;
  repeat_effects(guest);
  return true;
}

const InterruptRequest* LogPlayer::next_request() const {
  const auto& interrupts = log_.interrupts();
  if (next_interrupt_ >= interrupts.size()) return nullptr;
  const InterruptRequest& request = interrupts[next_interrupt_];
  const bool has_come = request.access <= next_ &&
                        (!request.instructions || instructions_ >= *request.instructions) &&
                        (!request.address || visited_.contains(*request.address));
  return has_come ? &request : nullptr;
}

std::optional<Vector> LogPlayer::interrupt() const {
  const InterruptRequest* const request = next_request();
  const bool is_due = request != nullptr && (is_halted_ || !request->at_halt);
  return is_due ? std::optional{request->vector} : std::nullopt;
}

std::optional<Vector> LogPlayer::interrupt_at_halt() const {
  const InterruptRequest* const request = next_request();
  return request != nullptr ? std::optional{request->vector} : std::nullopt;
}

void LogPlayer::acknowledge(Vector /*vector*/) {
  ++next_interrupt_;
  is_halted_ = false;
}

}  // namespace hltest::internal
