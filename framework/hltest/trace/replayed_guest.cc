#include <hltest/machine/vcpu_state.h>
#include <hltest/trace/replayed_guest.h>

#include <algorithm>
#include <vector>

namespace hltest {

using End = ReplayedGuest::End;

ReplayedGuest::ReplayedGuest(const RecordedRun& run) : memory_(*run.recording->memory), log_(run) {
  vm_.start(*run.recording, memory_);
}

ReplayedGuest::ReplayedGuest(const RecordedRun& run, const Checkpoint& checkpoint)
    : memory_(checkpoint.memory), log_(checkpoint.log) {
  Recording start = *run.recording;
  start.registers = checkpoint.registers;
  start.msrs = checkpoint.msrs;
  vm_.start(start, memory_);
  vm_.vcpu().set_xsave(checkpoint.xsave);
}

Registers ReplayedGuest::registers() const { return read_registers(vm_.vcpu()); }

std::optional<Checkpoint> ReplayedGuest::checkpoint() const {
  std::optional<MemorySnapshot> memory = memory_.snapshot();
  if (!memory.has_value()) return std::nullopt;
  return Checkpoint{.registers = registers(),
                    .xsave = vm_.vcpu().xsave(),
                    .msrs = read_msrs(vm_.vcpu()),
                    .memory = *std::move(memory),
                    .log = log_};
}

void ReplayedGuest::set_time_limit(std::chrono::microseconds limit) {
  deadline_.emplace(limit);
  vm_.vcpu().set_signal_mask(deadline_->mask_in_guest());
}

// Serves one exit after the other until one that is not an access.
End ReplayedGuest::go_on() {
  for (;;) {
    const kvm::Exit exit = vm_.vcpu().run();
    if (std::holds_alternative<kvm::DebugExit>(exit)) return End::kStepped;
    if (std::holds_alternative<kvm::HltExit>(exit)) return End::kHalted;
    if (std::holds_alternative<kvm::ShutdownExit>(exit)) return End::kShutdown;
    if (std::holds_alternative<kvm::InternalErrorExit>(exit)) return End::kInternalError;
    if (std::holds_alternative<kvm::InterruptedExit>(exit)) {
      if (deadline_->has_passed()) return End::kTooLong;
    } else if (std::holds_alternative<kvm::FailEntryExit>(exit) ||
               std::holds_alternative<kvm::UnknownExit>(exit)) {
      return End::kOther;
    } else if (!log_.answer(exit, vm_.vcpu(), memory_)) {
      return End::kDiverged;
    }
  }
}

End ReplayedGuest::run_until(std::uint64_t accesses) {
  vm_.vcpu().set_single_step(false);
  while (log_.used() < accesses) {
    const kvm::Exit exit = vm_.vcpu().run();
    if (std::holds_alternative<kvm::InterruptedExit>(exit)) {
      if (deadline_->has_passed()) return End::kTooLong;
    } else if (!log_.answer(exit, vm_.vcpu(), memory_)) {
      return End::kDiverged;
    }
  }
  // The registers show it done only then.
  return accesses == 0 ? End::kStepped : step();
}

End ReplayedGuest::step() {
  const std::vector<Patch> patches = patch_breakpoints();
  vm_.vcpu().set_single_step(true);
  const End end = go_on();
  for (const Patch& patch : patches) memory_.write(patch.gpa, patch.original);
  if (patches.empty() || (end != End::kStepped && end != End::kHalted)) return end;
  Registers now = registers();
  const bool is_at_patch = std::ranges::any_of(
      patches, [&](const Patch& patch) { return patch.gva == now.code_address() - 1; });
  if (!is_at_patch) return end;
  now.rip -= 1;
  write_registers(vm_.vcpu(), now);
  return End::kStepped;
}

// A HLT stops the guest on every KVM; not every one has hardware breakpoints.
std::vector<ReplayedGuest::Patch> ReplayedGuest::patch_breakpoints() {
  constexpr std::uint8_t kHlt = 0xF4;
  std::vector<Patch> patches;
  if (breakpoints_.empty()) return patches;
  const Registers now = registers();
  for (const Gva gva : breakpoints_) {
    const std::optional<Gpa> gpa = tables(now).translate(gva);
    if (gva == now.code_address() || !gpa || !memory_.is_ram(*gpa, 1)) continue;
    patches.push_back({.gva = gva, .gpa = *gpa, .original = memory_.read<std::uint8_t>(*gpa)});
    memory_.write(*gpa, kHlt);
  }
  return patches;
}

End ReplayedGuest::run_on() {
  vm_.vcpu().set_single_step(false);
  return go_on();
}

}  // namespace hltest
