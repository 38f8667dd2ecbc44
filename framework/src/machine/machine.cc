#include "machine/machine.h"
#include "machine/deadline.h"
#include "machine/system_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace hltest {
namespace {

bool keeps(const Outcome& outcome) { return outcome.exits.size() < Outcome::kMostExits; }

}  // namespace

Machine::Machine(CpuMode mode)
    : mode_(mode),
      memory_(kMemorySize, mode),
      registers_(start_registers(mode, memory_.end_of_low_ram())),
      address_map_(paging_mode(registers_)),
      descriptors_(mode) {
  if (registers_.cr0.pe()) registers_.gdt.limit = descriptors_.gdt().limit();
}

void Machine::check_not_running(const char* call) const {
  if (!is_running_) return;
  throw SetupError(fmt::format(
      "{} was called by a handler of the machine's own, while its guest runs: use another Machine",
      call));
}

void Machine::set_running(bool running) {
  is_running_ = running;
  memory_.set_in_use(running);
}

void Machine::create_vm() {
  check_not_running("create_vm()");
  vm_.reset();
  last_registers_.reset();
  vm_.emplace();
  physical_bits_ = vm_->physical_bits();
  has_run_ = has_ended_ = false;
}

Outcome Machine::run(const FlatImage& image, const StartRegisters& start) {
  check_not_running("run()");
  check_image(image, memory_, mmio_);
  Registers registers = entry_registers(image, registers_, start, mode_, memory_, address_map_);

  lay_out(image, registers);

  if (!vm_.has_value() || has_run_) create_vm();
  has_run_ = true;
  recording_.reset();  // not both at a time
  recording_ = std::make_shared<Recording>(record_start(registers));
  vm_->start(*recording_, memory_);

  Outcome outcome;
  outcome.stop = serve_exits(outcome);

  outcome.recording = recording_;
  tell(image, registers, outcome);
  has_ended_ = true;
  if (!outcome.registers_are_lost()) last_registers_ = outcome.registers;
  return outcome;
}

void Machine::lay_out(const FlatImage& image, Registers& registers) {
  const DescriptorTableRegister standard = start_registers(mode_, memory_.end_of_low_ram()).idt;
  const Gva idt = lay_out_system_region(memory_, mode_, descriptors_, address_map_, image);
  if (registers.idt == standard) registers.idt.base = idt;
  memory_.write_bytes(image.load_address(), image.bytes());
}

Recording Machine::record_start(const Registers& registers) const {
  Recording recording{.start_mode = mode_,
                      .registers = registers,
                      .cpuid = cpuid_,
                      .served_msrs = msr_bus_.served(),
                      .memory = memory_.snapshot()};
  if (cpl_ == 3) recording.msrs = system_call_msrs(mode_);
  for (const auto& [msr, value] : start_msrs_) recording.msrs.push_back({msr, value});
  return recording;
}

StopReason Machine::serve_exits(Outcome& outcome) {
  ports_.start_run();
  accesses_ = 0;
  const Deadline deadline{timeout_};
  vm_->vcpu().set_signal_mask(deadline.mask_in_guest());
  // Whatever a handler throws, the guest runs no more then.
  const std::unique_ptr<Machine, void (*)(Machine*)> running{
      this, [](Machine* machine) { machine->set_running(false); }};
  set_running(true);
  for (;;) {
    const kvm::Exit exit = vm_->vcpu().run();
    if (std::holds_alternative<kvm::InterruptedExit>(exit)) {
      // Any other signal is the program's own affair, and was delivered.
      if (!deadline.has_passed()) continue;
      if (keeps(outcome)) outcome.exits.push_back(record(exit));
      return Timeout{.limit = timeout_};
    }
    if (std::optional<StopReason> reason = serve(exit, outcome)) return *reason;
  }
}

std::optional<StopReason> Machine::serve(const kvm::Exit& exit, Outcome& outcome) {
  std::optional<StopReason> reason;
  if (const auto* const io = std::get_if<kvm::IoExit>(&exit)) {
    reason = serve_port(*io, outcome);
  } else if (const auto* const mmio = std::get_if<kvm::MmioExit>(&exit)) {
    serve_mmio(*mmio, outcome);
  } else if (const auto* const msr = std::get_if<kvm::MsrExit>(&exit)) {
    serve_msr(*msr, outcome);
  } else if (std::holds_alternative<kvm::HltExit>(exit)) {
    reason = Halt{};
  } else if (std::holds_alternative<kvm::DebugExit>(exit)) {
    reason = UnknownExit{KVM_EXIT_DEBUG};  // nobody is stepping here
  } else if (std::holds_alternative<kvm::ShutdownExit>(exit)) {
    reason = TripleFault{};
  } else if (const auto* const error = std::get_if<kvm::InternalErrorExit>(&exit)) {
    reason = explain_internal_error(*error);
  } else if (const auto* const failure = std::get_if<kvm::FailEntryExit>(&exit)) {
    reason = EntryFailure{failure->hardware_entry_failure_reason};
  } else {
    reason = UnknownExit{std::get<kvm::UnknownExit>(exit).reason};
  }
  if (keeps(outcome)) outcome.exits.push_back(record(exit));
  if (reason.has_value() && std::holds_alternative<ConditionMet>(*reason)) {
    // The registers show the OUT done only when KVM has ended it.
    vm_->vcpu().complete_instruction();
  }
  return reason;
}

std::optional<StopReason> Machine::serve_port(const kvm::IoExit& io, Outcome& outcome) {
  for (std::size_t at = 0; at < io.data.size(); at += io.size) {
    const std::span<std::uint8_t> element = io.data.subspan(at, io.size);
    std::uint32_t value = 0;
    if (!io.is_out) {
      value = ports_.in(io.port, io.size, outcome.ports);
      record_handler_writes();
      std::memcpy(element.data(), &value, element.size());
      continue;
    }
    std::memcpy(&value, element.data(), element.size());
    const auto condition = ports_.out(io.port, io.size, value, outcome.ports);
    record_handler_writes();
    if (condition.has_value()) {
      return ConditionMet{*condition};
    }
  }
  return std::nullopt;
}

void Machine::record_handler_writes() {
  for (GuestMemory::Write& write : memory_.take_writes_in_use()) {
    recording_->add({.access = accesses_, .gpa = write.gpa, .bytes = std::move(write.bytes)});
  }
  ++accesses_;
}

void Machine::serve_mmio(const kvm::MmioExit& mmio, Outcome& outcome) {
  MmioAccess access{.gpa = mmio.gpa,
                    .direction = mmio.is_write ? Direction::kOut : Direction::kIn,
                    .size = static_cast<std::uint8_t>(mmio.data.size())};
  if (mmio.is_write) std::memcpy(&access.value, mmio.data.data(), mmio.data.size());
  access = mmio_.access(access);
  if (!mmio.is_write) std::memcpy(mmio.data.data(), &access.value, mmio.data.size());
  if (outcome.mmio.size() < PortLog::kMostKept) outcome.mmio.push_back(access);
  record_handler_writes();
}

void Machine::serve_msr(const kvm::MsrExit& exit, Outcome& outcome) {
  const MsrAccess access =
      msr_bus_.access({.msr = Msr{exit.index},
                       .direction = exit.is_write ? Direction::kOut : Direction::kIn,
                       .value = exit.data});
  if (access.handled) {
    vm_->vcpu().answer_msr(access.value);
  } else {
    vm_->vcpu().refuse_msr();
  }
  if (outcome.msrs.size() < PortLog::kMostKept) outcome.msrs.push_back(access);
  record_handler_writes();
}

}  // namespace hltest
