#include "trace/replayed_guest.h"
#include "machine/single_step.h"
#include "machine/vcpu_state.h"

#include <algorithm>
#include <vector>

namespace hltest {

using End = ReplayedGuest::End;

namespace {

constexpr std::uint8_t kPushf = 0x9C;
constexpr std::uint8_t kPopf = 0x9D;

}  // namespace

ReplayedGuest::ReplayedGuest(const RecordedRun& run) : memory_(*run.recording->memory), log_(run) {
  vm_.start(*run.recording, memory_);
}

ReplayedGuest::ReplayedGuest(const RecordedRun& run, const Checkpoint& checkpoint)
    : memory_(checkpoint.memory), log_(checkpoint.log) {
  Recording start = *run.recording;
  start.registers = checkpoint.registers;
  vm_.start(start, memory_);
  checkpoint.extended.restore(vm_.vcpu());
}

Registers ReplayedGuest::registers() const {
  if (!registers_) registers_ = read_registers(vm_.vcpu());
  return *registers_;
}

void ReplayedGuest::set_registers(const Registers& registers) {
  write_registers(vm_.vcpu(), registers);
  registers_.reset();
}

std::optional<Checkpoint> ReplayedGuest::checkpoint() const {
  std::optional<MemorySnapshot> memory = memory_.snapshot();
  if (!memory.has_value()) return std::nullopt;
  return Checkpoint{.registers = registers(),
                    .extended = ExtendedState::of(vm_.vcpu()),
                    .memory = *std::move(memory),
                    .log = log_};
}

void ReplayedGuest::set_time_limit(std::chrono::microseconds limit) {
  deadline_.emplace(limit);
  vm_.vcpu().set_signal_mask(deadline_->mask_in_guest());
}

// What an exit means that is no access.
End ReplayedGuest::end_of(const kvm::Exit& exit) {
  if (std::holds_alternative<kvm::DebugExit>(exit)) return End::kStepped;
  if (std::holds_alternative<kvm::HltExit>(exit)) return End::kHalted;
  if (std::holds_alternative<kvm::ShutdownExit>(exit)) return End::kShutdown;
  if (std::holds_alternative<kvm::InternalErrorExit>(exit)) return End::kInternalError;
  if (std::holds_alternative<kvm::InterruptedExit>(exit)) return End::kTooLong;
  const bool is_unknown = std::holds_alternative<kvm::FailEntryExit>(exit) ||
                          std::holds_alternative<kvm::UnknownExit>(exit);
  return is_unknown ? End::kOther : End::kDiverged;
}

bool ReplayedGuest::serve(const kvm::Exit& exit) {
  // A signal that is the program's own was delivered.
  if (std::holds_alternative<kvm::InterruptedExit>(exit)) return !deadline_->has_passed();
  return log_.answer(exit, vm_.vcpu(), memory_);
}

End ReplayedGuest::run_until(std::uint64_t accesses) {
  registers_.reset();
  vm_.vcpu().set_single_step(false);
  if (accesses == 0) return End::kStepped;
  while (log_.used() < accesses) {
    const kvm::Exit exit = vm_.vcpu().run();
    if (!serve(exit)) return end_of(exit);
  }
  const kvm::Exit exit =
      finish_access(vm_.vcpu(), [this](const kvm::Exit& access) { return serve(access); });
  return std::holds_alternative<kvm::InterruptedExit>(exit) ? End::kStepped : end_of(exit);
}

End ReplayedGuest::step() {
  const Registers before = registers();
  const std::uint8_t opcode = opcode_at(before);
  if (opcode == kPopf && sets_trap_flag(before)) return End::kTrapFlag;
  const std::vector<Patch> patches = patch_breakpoints();
  registers_.reset();
  const End end = end_of(
      single_step(vm_.vcpu(), before, [this](const kvm::Exit& exit) { return serve(exit); }));
  for (const Patch& patch : patches) memory_.write(patch.gpa, patch.original);
  if (end == End::kStepped && opcode == kPushf) hide_stepping(before);
  if (patches.empty() || (end != End::kStepped && end != End::kHalted)) return end;
  Registers now = registers();
  const bool is_at_patch = std::ranges::any_of(
      patches, [&](const Patch& patch) { return patch.gva == now.code_address() - 1; });
  if (!is_at_patch) return end;
  now.rip -= 1;
  set_registers(now);
  return End::kStepped;
}

// KVM steps by RFLAGS.TF, which a PUSHF has shown the guest.
void ReplayedGuest::hide_stepping(const Registers& before) {
  const std::optional<Gpa> top = tables(before).translate(stack_address(registers()));
  if (!top || !memory_.is_ram(*top, 2)) return;
  const auto flags = memory_.read<std::uint16_t>(*top);
  memory_.write(*top, static_cast<std::uint16_t>(flags & ~Rflags::kTf));
}

// True for a POPF that sets TF: the guest would not get the #DB for it.
bool ReplayedGuest::sets_trap_flag(const Registers& before) const {
  // TF is the lowest bit of the second byte.
  const std::vector<std::uint8_t> flags = tables(before).read(stack_address(before), 2);
  return flags.size() == 2 && (flags[1] & (Rflags::kTf >> 8U)) != 0;
}

// The first byte of the instruction behind an operand-size prefix; 0 where it can't be read.
std::uint8_t ReplayedGuest::opcode_at(const Registers& registers) const {
  constexpr std::uint8_t kOperandSize = 0x66;
  const auto code = tables(registers).read(registers.code_address(), 2);
  if (code.empty()) return 0;
  return code[0] == kOperandSize ? code.back() : code[0];
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
  registers_.reset();
  vm_.vcpu().set_single_step(false);
  for (;;) {
    const kvm::Exit exit = vm_.vcpu().run();
    if (!serve(exit)) return end_of(exit);
  }
}

}  // namespace hltest
