#pragma once

#include <cstddef>
#include <cstdint>

#include "kvm/exit.h"
#include "kvm/vcpu.h"
#include "machine/guest_memory.h"
#include "trace/recorded_run.h"

namespace hltest {

/// The accesses of a run to ports, MMIO and MSRs, to be answered once more from its logs. The run
/// has to outlive it.
class AccessLog {
 public:
  explicit AccessLog(const RecordedRun& run) : run_(&run.outcome), recording_(run.recording) {}

  /// How many accesses have been answered; how many the run had.
  [[nodiscard]] std::uint64_t used() const { return ports_ + mmio_ + msrs_; }
  [[nodiscard]] std::uint64_t size() const;
  /// True when the run's logs have all of its accesses.
  [[nodiscard]] bool is_complete() const;

  /// Answers as the log has it, and writes to memory what the test's handler did then. False where
  /// this is no access, or not the one that the run made there.
  bool answer(const kvm::Exit& exit, kvm::Vcpu& vcpu, GuestMemory& memory);

 private:
  bool answer_port(const kvm::IoExit& io, GuestMemory& memory);
  bool answer_mmio(const kvm::MmioExit& mmio, GuestMemory& memory);
  bool answer_msr(const kvm::MsrExit& exit, kvm::Vcpu& vcpu, GuestMemory& memory);
  void repeat_handler_writes(GuestMemory& memory);

  const Outcome* run_;
  std::shared_ptr<const Recording> recording_;
  std::size_t ports_ = 0;
  std::size_t mmio_ = 0;
  std::size_t msrs_ = 0;
  std::size_t handler_writes_ = 0;
};

}  // namespace hltest
