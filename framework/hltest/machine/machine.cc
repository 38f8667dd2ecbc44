#include <hltest/kvm/error.h>
#include <hltest/machine/deadline.h>
#include <hltest/machine/exception_frame.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/vcpu_state.h>
#include <hltest/x86/disassembly.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace hltest {
namespace {

// The same for every VM of a process, and not quick to ask for.
const std::vector<kvm_cpuid_entry2>& host_cpuid(const kvm::System& system) {
  static const std::vector<kvm_cpuid_entry2> entries = system.supported_cpuid();
  return entries;
}

Gva handlers(CpuMode start_mode) {
  const Gpa region = start_mode == CpuMode::kReal16 ? kRomRegion : kSystemRegion;
  return Gva{(region + kHandlersOffset).value()};
}

bool keeps(const Outcome& outcome) { return outcome.exits.size() < Outcome::kMostExits; }

}  // namespace

Machine::Machine(CpuMode mode)
    : mode_(mode),
      memory_(kMemorySize, mode),
      registers_(start_registers(mode, memory_.end_of_low_ram())),
      address_map_(paging_mode(registers_)) {}

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
  vm_ = system.create_vm();
  vm_->set_tss_address(kKvmTssAddress);
  vcpu_ = vm_->create_vcpu(0);
  vcpu_->set_cpuid(host_cpuid(system));
}

Outcome Machine::run(const FlatImage& image, const StartRegisters& start) {
  check_not_running("run()");
  check_image(image, memory_, mmio_);
  Registers registers = entry_registers(image, registers_, start, mode_, memory_, address_map_);

  lay_out(image, registers);

  if (!vm_.has_value() || has_run_) create_vm();
  has_run_ = true;
  give_memory_slots();

  set_registers(registers);

  Outcome outcome;
  outcome.stop = serve_exits(outcome);

  tell(image, registers, outcome);
  return outcome;
}

void Machine::lay_out(const FlatImage& image, Registers& registers) {
  constexpr std::uint64_t kIvtSize = 0x400;
  const DescriptorTable standard = start_registers(mode_, memory_.end_of_low_ram()).idt;
  const DescriptorTable idt =
      lay_out_system_region(memory_, mode_, address_map_, image.load_address() < Gpa{kIvtSize});
  if (registers.idt == standard) registers.idt = idt;
  memory_.write_bytes(image.load_address(), image.bytes());
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
        "know",
        error.what(), registers.cr0.value, registers.cr3.value, registers.cr4.value,
        registers.efer.value));
  }
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
      return Timeout{timeout_};
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
  } else if (std::holds_alternative<kvm::HltExit>(exit)) {
    reason = Halt{};
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

StopReason Machine::explain_internal_error(const kvm::InternalErrorExit& error) const {
  constexpr std::size_t kLongestInstruction = 15;
  if (error.suberror != KVM_INTERNAL_ERROR_EMULATION) {
    return InternalError{.suberror = error.suberror, .data = error.data};
  }
  const Registers registers = read_registers(*vcpu_);
  const Gva rip = registers.code_address();
  const SystemTables tables{registers, memory_};
  const std::optional<Gpa> gpa = tables.translate(rip);
  if (gpa.has_value() && !memory_.is_backed(*gpa)) return UnbackedFetch{*gpa};
  const auto bytes = tables.read(rip, kLongestInstruction);
  if (bytes.empty()) return HostLimit{};
  Instruction instruction = disassemble_one(bytes, rip, cpu_mode(registers));
  return HostLimit{.instruction = std::move(instruction.text),
                   .bytes = std::move(instruction.bytes)};
}

void Machine::tell(const FlatImage& image, const Registers& first, Outcome& outcome) const {
  outcome.guest = image.name();
  outcome.image_start = image.load_address();
  outcome.image_size = image.bytes().size();
  outcome.registers = read_registers(*vcpu_);
  if (std::holds_alternative<Halt>(outcome.stop)) {
    const Registers at_exit = outcome.registers;
    const LinearReader read = [tables = SystemTables{at_exit, memory_}](
                                  Gva gva, std::size_t count) { return tables.read(gva, count); };
    HaltMeaning meaning = interpret_halt(at_exit, first, handlers(mode_), read);
    outcome.stop = std::move(meaning.reason);
    outcome.registers = meaning.registers;
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    // kvm_amd gives the vCPU its RESET state, which starts at F000:FFF0 (SDM vol. 3, table 10-1).
    fault->registers_were_reset =
        outcome.registers.rip == 0xFFF0 && outcome.registers.cs.selector == 0xF000;
  }
  outcome.start_mode = mode_name(first);
  if (outcome.registers_are_lost()) return;
  outcome.end_mode = mode_name(outcome.registers);
  outcome.code = code_window(image, outcome.registers);
  const SystemTables tables{outcome.registers, memory_};
  const std::optional<Gpa> stopped_at = tables.translate(outcome.stop_address());
  outcome.stopped_outside_image = !stopped_at || *stopped_at < outcome.image_start ||
                                  *stopped_at - outcome.image_start >= outcome.image_size;
}

CodeWindow Machine::code_window(const FlatImage& image, const Registers& registers) const {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kAfter = 48;
  const Gva rip = registers.code_address();
  const Gva image_start{image.load_address().value()};
  const Gva image_end = image_start + image.bytes().size();
  const bool near_image_start = rip >= image_start && rip - image_start < kBefore;
  const Gva start =
      near_image_start ? image_start : Gva{rip.value() - std::min(kBefore, rip.value())};
  // What lies behind the image is not code, and would only be noise; nor is the end of a HLT.
  const std::uint64_t after =
      rip >= image_start && rip <= image_end ? std::min(kAfter, image_end - rip) : kAfter;
  const SystemTables tables{registers, memory_};
  CodeWindow window{.start = start,
                    .bytes = tables.read(start, rip - start + after),
                    .starts_at_instruction = near_image_start && image.entry() == image_start};
  if (window.bytes.size() < rip - start) {  // the page before RIP can't be read
    window = {.start = rip, .bytes = tables.read(rip, after), .starts_at_instruction = true};
  }
  return window;
}

}  // namespace hltest
