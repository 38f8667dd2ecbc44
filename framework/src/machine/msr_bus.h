#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/msr.h>
#include "kvm/vm.h"
#include "machine/port_log.h"

namespace hltest {

/// One RDMSR or WRMSR that the test had a say in.
struct MsrAccess {
  Msr msr{};
  Direction direction = Direction::kIn;  ///< kIn is RDMSR, kOut WRMSR
  /// False when nobody answered: the guest got #GP.
  bool handled = true;
  std::uint64_t value = 0;

  friend bool operator==(const MsrAccess&, const MsrAccess&) = default;
};

/// `rdmsr 0x1234: 0x55`, or `wrmsr 0x1234: 0x55 (#GP)` where nobody answered.
std::string to_string(const MsrAccess& access);

/// What answers RDMSR and WRMSR in place of KVM: MSRs that it does not know, and those that a test
/// wants to serve itself (all but the x2APIC's, 0x800 to 0x8FF). With a handler for any, accesses
/// to MSRs unknown to KVM are in the outcome.
class MsrBus {
 public:
  using Reader = std::function<std::uint64_t(const MsrAccess& access)>;
  using Writer = std::function<void(const MsrAccess& access)>;

  /// RDMSR of `msr` reads this value from now on. Throws std::invalid_argument for the 17th MSR: a
  /// VM has room for 16 (reads and writes count each).
  void on_read(Msr msr, std::uint64_t value);
  /// The same, by asking `reader` each time. What it throws ends the run and comes out of it.
  void on_read(Msr msr, Reader reader);
  /// WRMSR of `msr` calls `writer`, and does nothing else.
  void on_write(Msr msr, Writer writer);

  /// One access, its `value` already in it for a write; returns it as it went.
  [[nodiscard]] MsrAccess access(MsrAccess access) const;
  /// What KVM is to leave to this bus.
  [[nodiscard]] std::vector<kvm::Vm::ServedMsr> served() const;

 private:
  void check_room(Msr msr) const;

  // Shared, so that one which replaces itself while it is called lives until it returns.
  std::map<Msr, std::shared_ptr<const Reader>> readers_;
  std::map<Msr, std::shared_ptr<const Writer>> writers_;
};

}  // namespace hltest
