#include "vm/breakpoints.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "vm/debug_probe.h"

namespace hltest::internal {

bool Breakpoints::need_steps() const {
  const bool are_wanted = std::ranges::any_of(
      observers_, [](const Observer* observer) { return !observer->breakpoints().empty(); });
  return are_wanted && !stops_at_breakpoints();
}

void Breakpoints::set() {
  std::vector<Gva> wanted;
  for (const Observer* const observer : observers_) {
    const std::vector<Gva>& more = observer->breakpoints();
    wanted.insert(wanted.end(), more.begin(), more.end());
  }
  if (wanted == set_) return;
  guest_.vcpu().set_breakpoints(wanted);
  set_ = std::move(wanted);
}

std::optional<Gva> Breakpoints::reached(const kvm::Exit& exit) {
  if (!std::holds_alternative<kvm::DebugExit>(exit) || set_.empty()) return std::nullopt;
  const Gva address = guest_.registers().code_address();
  for (Observer* const observer : observers_) observer->on_breakpoint(address);
  return address;
}

}  // namespace hltest::internal
