// What a test changes of a machine before it runs; machine.cc is the run.
#include <hltest/machine.h>

#include <fmt/format.h>

#include <hltest/error.h>

#include "machine/parts.h"
#include "vm/guest_memory.h"

namespace hltest {

const StartState& Machine::start_state() const { return parts().state; }
RegisterSettings& Machine::registers() { return parts_for("registers()").state.registers; }
GuestMemory& Machine::memory() { return parts().memory; }
CpuidEdits& Machine::cpuid() { return parts_for("cpuid()").state.cpuid; }
PortScripts& Machine::ports() { return parts().ports; }
MmioScripts& Machine::mmio() { return parts().mmio; }
MsrScripts& Machine::msrs() { return parts().msrs; }

void Machine::attach(PortRange range, std::shared_ptr<Device> device) {
  parts_for("attach()")
      .bus.attach({.space = Space::kPort, .first = range.first, .last = range.last},
                  std::move(device));
}

void Machine::attach(MmioRange range, std::shared_ptr<Device> device) {
  if (range.size == 0 || range.size - 1 > ~range.base.value()) {
    throw SetupError(fmt::format("a device at {:#x} bytes from {} on: the range is empty, or wraps",
                                 range.size, to_string(range.base)));
  }
  parts_for("attach()")
      .bus.attach({.space = Space::kMmio,
                   .first = range.base.value(),
                   .last = range.base.value() + (range.size - 1)},
                  std::move(device));
}

void Machine::attach(MsrRange range, std::shared_ptr<Device> device) {
  parts_for("attach()")
      .bus.attach({.space = Space::kMsr,
                   .first = static_cast<std::uint64_t>(range.first),
                   .last = static_cast<std::uint64_t>(range.last),
                   .reads = range.reads,
                   .writes = range.writes},
                  std::move(device));
}

void Machine::add_service(Vector vector, Service service) {
  parts_for("on_interrupt()").services.add(vector, std::move(service));
}

void Machine::refuse_empty_service(Vector vector) {
  throw SetupError(
      fmt::format("on_interrupt({:#x}): the function is empty", static_cast<unsigned>(vector)));
}

void Machine::interrupt(Vector vector, InterruptMoment moment) {
  internal::MachineParts& own = parts_for("interrupt()");
  const auto number = static_cast<std::uint64_t>(vector);
  const auto* const halts = std::get_if<AtHalts>(&moment);
  if (halts != nullptr && halts->times == 0) {
    throw SetupError(fmt::format("interrupt({:#x}): 0 times is never", number));
  }
  const auto* const when = std::get_if<When>(&moment);
  if (when != nullptr && when->condition == nullptr) {
    throw SetupError(fmt::format("interrupt({:#x}): the condition is empty", number));
  }
  auto source = std::make_shared<internal::RequestedInterrupt>(vector);
  own.bus.replace({.space = Space::kInterrupt, .first = number, .last = number}, source);
  std::erase_if(own.interrupts,
                [vector](const internal::WantedInterrupt& each) { return each.vector == vector; });
  own.interrupts.push_back({.vector = vector, .moment = std::move(moment), .source = source});
}

void Machine::nmi(InterruptMoment moment) {
  interrupt(Vector::kNonMaskableInterrupt, std::move(moment));
}

void Machine::set_memory_size(std::uint64_t size) {
  internal::MachineMemory{parts().memory}.resize(size);
  parts().state.set_memory_size(size);
}

void Machine::set_rom_writable(bool writable) {
  internal::MachineParts& own = parts_for("set_rom_writable()");
  if (own.state.mode() != CpuMode::kReal16) {
    throw SetupError("set_rom_writable(): only a guest that starts in real mode has a BIOS ROM");
  }
  own.state.rom_is_writable = writable;
}

void Machine::set_a20(bool is_open) {
  internal::MachineParts& own = parts_for("set_a20()");
  if (own.state.mode() != CpuMode::kReal16) {
    throw SetupError("set_a20(): only a guest that starts in real mode has an A20 gate");
  }
  own.state.a20_is_open = is_open;
}

void Machine::set_paging(PagingMode mode) { parts_for("set_paging()").state.set_paging(mode); }

void Machine::map(const PageMapping& mapping) {
  parts_for("map()").state.paging_for("the mapping " + to_string(mapping)).map(mapping);
}

void Machine::remap(const PageMapping& mapping) {
  parts_for("remap()").state.paging_for("the mapping " + to_string(mapping)).remap(mapping);
}

void Machine::unmap(Gva gva, std::uint64_t size) {
  parts_for("unmap()").state.paging_for("unmapping " + to_string(gva)).unmap(gva, size);
}

void Machine::set_page_tables_at(Gpa first_table) {
  parts_for("set_page_tables_at()").state.set_page_tables_at(first_table);
}

void Machine::set_cpl(unsigned cpl) { parts_for("set_cpl()").state.set_cpl(cpl); }

void Machine::set_descriptor(std::uint16_t selector, const Descriptor& descriptor) {
  parts_for("set_descriptor()").state.set_descriptor(selector, descriptor);
}

void Machine::set_gate(Vector vector, const Descriptor& gate) {
  parts_for("set_gate()").state.set_gate(vector, gate);
}

Segment Machine::segment(std::uint16_t selector) const { return parts().state.segment(selector); }

void Machine::set_msr(Msr msr, std::uint64_t value) {
  internal::MachineParts& own = parts_for("set_msr()");
  if (msr == Msr::kIa32Efer) {
    throw SetupError("IA32_EFER is one of the registers: set registers().efer");
  }
  own.state.msrs.insert_or_assign(msr, value);
}

std::uint64_t Machine::msr(Msr msr) const {
  const internal::MachineParts& own = parts();
  if (!own.has_ended || !own.guest) {
    throw SetupError(to_string(msr) + " can be read after a run: none has ended yet");
  }
  if (const auto value = own.guest->msr(msr)) return *value;
  throw SetupError(to_string(msr) + ": this KVM does not know the MSR");
}

void Machine::set_xstate(const XState& state) { parts_for("set_xstate()").state.xstate = state; }

void Machine::set_timeout(std::chrono::milliseconds timeout) {
  internal::MachineParts& own = parts_for("set_timeout()");
  if (timeout < std::chrono::milliseconds{1} || timeout > std::chrono::hours{24}) {
    throw SetupError(fmt::format("a timeout of {} ms: it can be 1 ms to 24 hours (86400000 ms)",
                                 timeout.count()));
  }
  own.timeout = timeout;
}

}  // namespace hltest
