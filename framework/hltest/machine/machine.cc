#include <hltest/kvm/error.h>
#include <hltest/machine/deadline.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/system_region.h>
#include <hltest/machine/vcpu_state.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace hltest {
namespace {

// The same for every VM of a process, and not quick to ask for.
const std::vector<kvm_cpuid_entry2>& host_cpuid(const kvm::System& system) {
  static const std::vector<kvm_cpuid_entry2> entries = system.supported_cpuid();
  return entries;
}

// MAXPHYADDR (SDM vol. 2, CPUID leaf 80000008H).
unsigned physical_address_bits(const std::vector<kvm_cpuid_entry2>& cpuid) {
  constexpr std::uint32_t kAddressSizes = 0x8000'0008;
  for (const kvm_cpuid_entry2& entry : cpuid) {
    if (entry.function == kAddressSizes) return std::clamp(entry.eax & 0xFFU, 32U, 52U);
  }
  return 36;
}

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
  const kvm::System system;
  vcpu_.reset();
  vm_.reset();
  last_registers_.reset();
  kvm::Vm vm = system.create_vm();
  vm.set_tss_address(kKvmTssAddress);
  kvm::Vcpu vcpu = vm.create_vcpu(0);
  vcpu.set_cpuid(host_cpuid(system));
  physical_bits_ = physical_address_bits(host_cpuid(system));
  vm_ = std::move(vm);
  vcpu_ = std::move(vcpu);
  has_run_ = has_ended_ = false;
}

Outcome Machine::run(const FlatImage& image, const StartRegisters& start) {
  check_not_running("run()");
  check_image(image, memory_, mmio_);
  Registers registers = entry_registers(image, registers_, start, mode_, memory_, address_map_);

  lay_out(image, registers);

  if (!vm_.has_value() || has_run_) create_vm();
  has_run_ = true;
  configure_vm();
  give_memory_slots();

  set_registers(registers);

  Outcome outcome;
  outcome.stop = serve_exits(outcome);

  tell(image, registers, outcome);
  has_ended_ = true;
  if (!outcome.registers_are_lost()) last_registers_ = outcome.registers;
  return outcome;
}

void Machine::lay_out(const FlatImage& image, Registers& registers) {
  const DescriptorTable standard = start_registers(mode_, memory_.end_of_low_ram()).idt;
  const Gva idt = lay_out_system_region(memory_, mode_, descriptors_, address_map_, image);
  if (registers.idt == standard) registers.idt.base = idt;
  memory_.write_bytes(image.load_address(), image.bytes());
}

void Machine::configure_vm() {
  if (cpuid_.is_changed()) {
    const std::vector<kvm_cpuid_entry2> wanted = cpuid_.apply(host_cpuid(kvm::System{}));
    try {
      vcpu_->set_cpuid(wanted);
    } catch (const kvm::Error& error) {
      throw SetupError(fmt::format("{}: this KVM refuses the CPUID that the test made: {}",
                                   error.what(), cpuid_.describe_changes()));
    }
    if (const auto difference = cpuid_.difference(wanted, vcpu_->cpuid(wanted.size()))) {
      throw SetupError("this KVM does not show the guest the CPUID that the test wants: " +
                       *difference);
    }
  }
  if (const auto served = msr_bus_.served(); !served.empty()) vm_->serve_msrs(served);
}

void Machine::give_memory_slots() {
  for (std::uint32_t slot = 0; const MemoryRegion& region : memory_.regions()) {
    vm_->set_memory_slot(slot++, region.base, region.bytes,
                         region.kind == MemoryRegion::Kind::kRom ? kvm::SlotAccess::kReadOnly
                                                                 : kvm::SlotAccess::kReadWrite);
  }
}

void Machine::set_registers(const Registers& registers) {
  try {
    write_registers(*vcpu_, registers);
  } catch (const kvm::Error& error) {
    if (error.code().value() != EINVAL) throw;
    throw SetupError(fmt::format(
        "{}: this KVM refuses cr0 = {:#x}, cr3 = {:#x}, cr4 = {:#x}, efer = {:#x} or a "
        "segment: they contradict one another, or have bits that the processor does not "
        "know{}",
        error.what(), registers.cr0.value, registers.cr3.value, registers.cr4.value,
        registers.efer.value,
        cpuid_.is_changed()
            ? "; or the CPUID that the test made forbids them: " + cpuid_.describe_changes()
            : ""));
  }
  // There are KVMs that take 32-bit or PAE paging away without a word.
  if (registers.cr0.pg() && !registers.efer.lma() && !read_registers(*vcpu_).cr0.pg()) {
    throw SetupError("this host's KVM can't run " + to_string(paging_mode(registers)) +
                     ": it has cleared CR0.PG");
  }
  const auto set_msr = [this](Msr msr, std::uint64_t value) {
    if (vcpu_->set_msr(static_cast<std::uint32_t>(msr), value)) return;
    throw SetupError(fmt::format("{} = {:#x}: this KVM does not know the MSR, or refuses the value",
                                 to_string(msr), value));
  };
  if (cpl_ == 3) {
    for (const auto& [msr, value] : system_call_msrs(mode_)) set_msr(msr, value);
  }
  for (const auto& [msr, value] : start_msrs_) set_msr(msr, value);
}

StopReason Machine::serve_exits(Outcome& outcome) {
  ports_.start_run();
  const Deadline deadline{timeout_};
  vcpu_->set_signal_mask(deadline.mask_in_guest());
  // Whatever a handler throws, the guest runs no more then.
  const std::unique_ptr<Machine, void (*)(Machine*)> running{
      this, [](Machine* machine) { machine->set_running(false); }};
  set_running(true);
  for (;;) {
    const kvm::Exit exit = vcpu_->run();
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
    vcpu_->complete_instruction();
  }
  return reason;
}

std::optional<StopReason> Machine::serve_port(const kvm::IoExit& io, Outcome& outcome) {
  for (std::size_t at = 0; at < io.data.size(); at += io.size) {
    const std::span<std::uint8_t> element = io.data.subspan(at, io.size);
    std::uint32_t value = 0;
    if (!io.is_out) {
      value = ports_.in(io.port, io.size, outcome.ports);
      std::memcpy(element.data(), &value, element.size());
      continue;
    }
    std::memcpy(&value, element.data(), element.size());
    if (auto condition = ports_.out(io.port, io.size, value, outcome.ports)) {
      return ConditionMet{*std::move(condition)};
    }
  }
  return std::nullopt;
}

void Machine::serve_mmio(const kvm::MmioExit& mmio, Outcome& outcome) {
  MmioAccess access{.gpa = mmio.gpa,
                    .direction = mmio.is_write ? Direction::kOut : Direction::kIn,
                    .size = static_cast<std::uint8_t>(mmio.data.size())};
  if (mmio.is_write) std::memcpy(&access.value, mmio.data.data(), mmio.data.size());
  access = mmio_.access(access);
  if (!mmio.is_write) std::memcpy(mmio.data.data(), &access.value, mmio.data.size());
  if (outcome.mmio.size() < PortLog::kMostKept) outcome.mmio.push_back(access);
}

void Machine::serve_msr(const kvm::MsrExit& exit, Outcome& outcome) {
  const MsrAccess access =
      msr_bus_.access({.msr = Msr{exit.index},
                       .direction = exit.is_write ? Direction::kOut : Direction::kIn,
                       .value = exit.data});
  if (access.handled) {
    vcpu_->answer_msr(access.value);
  } else {
    vcpu_->refuse_msr();
  }
  if (outcome.msrs.size() < PortLog::kMostKept) outcome.msrs.push_back(access);
}

}  // namespace hltest
