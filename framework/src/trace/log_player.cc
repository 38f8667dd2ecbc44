#include "trace/log_player.h"

#include <algorithm>

#include <hltest/memory.h>

namespace hltest::internal {

bool is_complete(const AccessLog& log) {
  return log.dropped() == 0 && log.dropped_memory_writes() == 0;
}

bool LogPlayer::answer(Access& access, GuestView& guest) {
  if (is_at_end()) return false;
  const Access& logged = log_[next_];
  const bool is_the_same = logged.space == access.space && logged.address == access.address &&
                           logged.direction == access.direction && logged.size == access.size &&
                           (access.is_read() || logged.value == access.value);
  if (!is_the_same) return false;
  access = logged;
  const auto& writes = log_.memory_writes();
  for (auto write = std::ranges::lower_bound(writes, next_, {}, &MemoryWrite::access);
       write != writes.end() && write->access == next_; ++write) {
    guest.memory().write_bytes(write->gpa, write->bytes);
  }
  ++next_;
  return true;
}

// The first interrupt that was delivered after where the player began, and not by it.
const InterruptRequest* LogPlayer::request() const {
  const auto& requests = log_.interrupts();
  const auto from = std::ranges::lower_bound(requests, first_, {}, &InterruptRequest::access);
  const auto left = static_cast<std::uint64_t>(requests.end() - from);
  return taken_ < left ? &*(from + static_cast<std::ptrdiff_t>(taken_)) : nullptr;
}

std::optional<Vector> LogPlayer::interrupt() const {
  const InterruptRequest* const next = request();
  return next != nullptr && next->access <= next_ ? std::optional{next->vector} : std::nullopt;
}

void LogPlayer::acknowledge(Vector /*vector*/) { ++taken_; }

}  // namespace hltest::internal
