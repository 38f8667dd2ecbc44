#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kvm/exit.h"
#include "vm/guest.h"
#include "vm/observer.h"

namespace hltest::internal {

/// The breakpoints that the observers of a run want, as KVM has them (KVM_GUESTDBG_USE_HW_BP).
class Breakpoints {
 public:
  Breakpoints(Guest& guest, std::span<Observer* const> observers)
      : guest_(guest), observers_(observers) {}

  /// True where some are wanted, and this host's KVM does not stop a guest at them.
  [[nodiscard]] bool need_steps() const;
  /// Before the guest is entered: tells KVM those that are wanted now.
  void set();
  /// KVM does not have them any more.
  void forget() { set_.clear(); }
  /// The address, if the guest has come to one. The observers know then.
  std::optional<Gva> reached(const kvm::Exit& exit);

 private:
  Guest& guest_;
  std::span<Observer* const> observers_;
  std::vector<Gva> set_;  // those that KVM has
};

}  // namespace hltest::internal
