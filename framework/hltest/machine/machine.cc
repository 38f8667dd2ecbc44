#include <hltest/machine/deadline.h>
#include <hltest/machine/exception_frame.h>
#include <hltest/machine/linear_memory.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/vcpu_state.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

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
      registers_(start_registers(mode, memory_.end_of_low_ram())) {}

void Machine::set_memory_size(std::uint64_t size) {
  const std::uint64_t stack = start_registers(mode_, memory_.end_of_low_ram()).rsp;
  memory_.resize(size);
  if (registers_.rsp == stack) {
    registers_.rsp = start_registers(mode_, memory_.end_of_low_ram()).rsp;
  }
}

void Machine::map(const PageMapping& mapping) {
  if (mode_ != CpuMode::kLong64) {
    throw SetupError(fmt::format("the mapping {}: a guest that starts in {} has no page tables",
                                 to_string(mapping), to_string(mode_)));
  }
  page_map_.map(mapping);
}

void Machine::set_timeout(std::chrono::milliseconds timeout) {
  if (timeout < std::chrono::milliseconds{1} || timeout > std::chrono::hours{24}) {
    throw SetupError(fmt::format("a timeout of {} ms: it can be 1 ms to 24 hours (86400000 ms)",
                                 timeout.count()));
  }
  timeout_ = timeout;
}

void Machine::create_vm() {
  const kvm::System system;
  vcpu_.reset();
  vm_.reset();
  vm_ = system.create_vm();
  vm_->set_tss_address(kKvmTssAddress);
  vcpu_ = vm_->create_vcpu(0);
  vcpu_->set_cpuid(host_cpuid(system));
}

Outcome Machine::run(const FlatImage& image, const StartRegisters& start) {
  check(image);
  Registers registers = first_registers(image, start);

  lay_out(image, registers);

  if (!vm_.has_value() || has_run_) create_vm();
  has_run_ = true;
  give_memory_slots();

  write_registers(*vcpu_, registers);

  Outcome outcome;
  outcome.stop = serve_exits(outcome);

  tell(image, registers, outcome);
  return outcome;
}

void Machine::check(const FlatImage& image) const {
  const std::string what = fmt::format("the image {} ({:#x} bytes, loaded at {})", image.name(),
                                       image.bytes().size(), to_string(image.load_address()));
  if (image.bytes().empty()) throw SetupError(what + " is empty");
  if (!memory_.is_ram(image.load_address(), image.bytes().size())) {
    throw SetupError(
        fmt::format("{} does not fit in the guest's memory, {}: load it elsewhere, or give the "
                    "guest more memory",
                    what, memory_.describe_ram()));
  }
  for (const MmioBus::Range& range : mmio_.ranges()) {
    for (const MemoryRegion& region : memory_.regions()) {
      if (range.base < region.base + region.bytes.size() && region.base < range.base + range.size) {
        throw SetupError(fmt::format(
            "the MMIO handler at {} would never be asked: the guest has memory there ({})",
            to_string(range.base), memory_.describe_ram()));
      }
    }
  }
}

Registers Machine::first_registers(const FlatImage& image, const StartRegisters& start) const {
  Registers registers = registers_;
  const Gva entry = image.entry();
  const bool entered_at_rip = start.rip.has_value() || registers_.rip != 0;
  if (!entered_at_rip) {
    const bool flat = mode_ != CpuMode::kReal16;
    if (!flat && registers.cs == start_registers(mode_, memory_.end_of_low_ram()).cs &&
        entry.value() > 0xFFFF && entry.value() < 0x10'0000) {
      // CS = 0 does not reach so far: CS and IP share the address as a far jump would.
      registers.cs.selector = static_cast<std::uint16_t>(entry.value() >> 4U);
      registers.cs.base = Gva{entry.value() & ~0xFULL};
    }
    registers.rip = mode_ == CpuMode::kLong64 ? entry.value() : entry - registers.cs.base;
  }
  apply(start, mode_, registers);

  const std::string place =
      fmt::format("the entry {} of {}", to_string(entered_at_rip ? registers.code_address() : entry),
                  image.name());
  if (mode_ != CpuMode::kLong64 && registers.rip > registers.cs.limit) {
    throw SetupError(fmt::format(
        "{} is {:#x} bytes from the base of CS ({}), whose limit is {:#x}: set CS, or enter the "
        "image elsewhere",
        place, registers.rip, to_string(registers.cs.base), registers.cs.limit));
  }
  if (mode_ != CpuMode::kLong64 && !memory_.is_ram(Gpa{registers.code_address().value()}, 1)) {
    throw SetupError(fmt::format("{} is outside the guest's memory, {}: enter it elsewhere",
                                 place, memory_.describe_ram()));
  }
  if (mode_ == CpuMode::kLong64 && !entered_at_rip && page_map_.mappings().empty() &&
      !memory_.is_ram(Gpa{registers.rip}, 1)) {
    throw SetupError(fmt::format("{} is outside the guest's memory, {}: enter it elsewhere",
                                 place, memory_.describe_ram()));
  }
  return registers;
}

void Machine::lay_out(const FlatImage& image, Registers& registers) {
  constexpr std::uint64_t kIvtSize = 0x400;
  const DescriptorTable standard = start_registers(mode_, memory_.end_of_low_ram()).idt;
  const DescriptorTable idt = lay_out_system_region(memory_, mode_, page_map_,
                                                    image.load_address() < Gpa{kIvtSize});
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

StopReason Machine::serve_exits(Outcome& outcome) {
  ports_.start_run();
  const Deadline deadline{timeout_};
  vcpu_->set_signal_mask(deadline.mask_in_guest());
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
    vcpu_->complete_instruction([](const kvm::Exit&) { return false; });
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
  const std::optional<Gpa> gpa =
      registers.cr0.pg() ? vcpu_->translate(rip) : Gpa{rip.value()};
  if (gpa.has_value() && !memory_.is_backed(*gpa)) return UnbackedFetch{*gpa};
  return HostLimit{read_linear(*vcpu_, memory_, registers, rip, kLongestInstruction)};
}

void Machine::tell(const FlatImage& image, const Registers& first, Outcome& outcome) const {
  outcome.guest = image.name();
  outcome.registers = read_registers(*vcpu_);
  if (std::holds_alternative<Halt>(outcome.stop)) {
    const Registers at_exit = outcome.registers;
    const LinearReader read = [&](Gva gva, std::size_t count) {
      return read_linear(*vcpu_, memory_, at_exit, gva, count);
    };
    HaltMeaning meaning = interpret_halt(at_exit, first, handlers(mode_), read);
    outcome.stop = std::move(meaning.reason);
    outcome.registers = meaning.registers;
  } else if (auto* const fault = std::get_if<TripleFault>(&outcome.stop)) {
    // kvm_amd gives the vCPU its RESET state, which starts at F000:FFF0 (SDM vol. 3, table 10-1).
    fault->registers_were_reset =
        outcome.registers.rip == 0xFFF0 && outcome.registers.cs.selector == 0xF000;
  }
  outcome.start_mode = mode_name(first);
  outcome.end_mode = mode_name(outcome.registers);
  outcome.code = code_window(image, outcome.registers);
}

CodeWindow Machine::code_window(const FlatImage& image, const Registers& registers) const {
  constexpr std::uint64_t kBefore = 64;
  constexpr std::uint64_t kAfter = 48;
  const Gva rip = registers.code_address();
  const Gva image_start{image.load_address().value()};
  const bool near_image_start = rip >= image_start && rip - image_start < kBefore;
  const Gva start =
      near_image_start ? image_start : Gva{rip.value() - std::min(kBefore, rip.value())};
  CodeWindow window{.start = start,
                    .bytes = read_linear(*vcpu_, memory_, registers, start, rip - start + kAfter),
                    .starts_at_instruction = near_image_start && image.entry() == image_start};
  if (window.bytes.size() <= rip - start) {  // the page before RIP can't be read
    window = {.start = rip,
              .bytes = read_linear(*vcpu_, memory_, registers, rip, kAfter),
              .starts_at_instruction = true};
  }
  return window;
}

}  // namespace hltest
