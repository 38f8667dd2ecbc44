#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "machine/deadline.h"
#include "machine/guest_memory.h"
#include "machine/guest_vm.h"
#include "machine/system_tables.h"
#include "trace/access_log.h"
#include "trace/checkpoint.h"
#include "trace/recorded_run.h"

namespace hltest {

/// The guest of a recorded run in a VM of its own, which is given again what that run was given.
/// `run` has to outlive it.
class ReplayedGuest {
 public:
  /// At the start of the run, which has a recording with its memory. Throws as `GuestVm` does.
  explicit ReplayedGuest(const RecordedRun& run);
  /// At a checkpoint of it.
  ReplayedGuest(const RecordedRun& run, const Checkpoint& checkpoint);

  /// How a part of the replay ended.
  enum class End : std::uint8_t {
    kStepped,        ///< as it was asked to
    kHalted,         ///< KVM_EXIT_HLT
    kShutdown,       ///< KVM_EXIT_SHUTDOWN
    kInternalError,  ///< KVM_EXIT_INTERNAL_ERROR
    kDiverged,       ///< an access that the run did not make there
    kTooLong,        ///< out of time
    kTooMuchMemory,  ///< no checkpoint, since its memory holds too much
    kTrapFlag,       ///< before a POPF that sets RFLAGS.TF, which stepping itself uses
    kOther,          ///< any other exit
  };

  /// From now on, the time that it has: more than 0. It has none before.
  void set_time_limit(std::chrono::microseconds limit);
  /// Runs until the log has answered so many accesses, and to the end of the instruction that made
  /// the last of them.
  End run_until(std::uint64_t accesses);
  /// Runs one instruction (or two: KVM may join some), or up to a breakpoint.
  End step();
  /// Linear addresses that `step` stops at, where it would pass them: those of exception handlers,
  /// since the delivery of an exception ends single-stepping.
  void set_breakpoints(const std::vector<Gva>& addresses) { breakpoints_ = addresses; }
  /// Runs on until the guest stops by itself.
  End run_on();

  /// True when it has made all accesses that the run made.
  [[nodiscard]] bool has_made_all_accesses() const { return log_.used() == log_.size(); }
  /// Nothing where its memory holds too much.
  [[nodiscard]] std::optional<Checkpoint> checkpoint() const;

  [[nodiscard]] Registers registers() const;
  void set_registers(const Registers& registers);
  [[nodiscard]] SystemTables tables(const Registers& registers) const {
    return {registers, memory_, vm_.physical_bits()};
  }
  [[nodiscard]] GuestMemory& memory() { return memory_; }
  [[nodiscard]] const GuestMemory& memory() const { return memory_; }
  [[nodiscard]] GuestVm& vm() { return vm_; }

 private:
  // A breakpoint in place of a byte of the guest's.
  struct Patch {
    Gva gva;
    Gpa gpa;
    std::uint8_t original;
  };
  std::vector<Patch> patch_breakpoints();
  void hide_stepping(const Registers& before);
  [[nodiscard]] bool sets_trap_flag(const Registers& before) const;
  [[nodiscard]] std::uint8_t opcode_at(const Registers& registers) const;
  [[nodiscard]] static End end_of(const kvm::Exit& exit);
  bool serve(const kvm::Exit& exit);

  GuestMemory memory_;  // outlives the VM, whose slots it backs
  GuestVm vm_;
  AccessLog log_;
  std::vector<Gva> breakpoints_;
  std::optional<Deadline> deadline_;
  mutable std::optional<Registers> registers_;  // since it last ran, once they were asked for
};

}  // namespace hltest
