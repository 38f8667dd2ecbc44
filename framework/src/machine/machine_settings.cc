// What a test changes of a machine before it runs; machine.cc is the run.
#include <hltest/memory_layout.h>
#include "machine/machine.h"

#include <fmt/format.h>

namespace hltest {

void Machine::set_memory_size(std::uint64_t size) {
  const std::uint64_t stack = start_registers(mode_, memory_.end_of_low_ram()).rsp;
  memory_.resize(size);
  if (registers_.rsp == stack) {
    registers_.rsp = start_registers(mode_, memory_.end_of_low_ram()).rsp;
  }
}

void Machine::set_paging(PagingMode mode) {
  check_not_running("set_paging()");
  const bool legacy = mode == PagingMode::k32Bit || mode == PagingMode::kPae;
  const bool possible = is_ia32e(mode_)
                            ? mode == PagingMode::k4Level || mode == PagingMode::k5Level
                            : mode == PagingMode::kNone || (legacy && mode_ != CpuMode::kReal16);
  if (!possible) {
    throw SetupError(fmt::format("{}: a guest that starts in {} can't have it", to_string(mode),
                                 to_string(mode_)));
  }
  address_map_.set_mode(mode);
  set_paging_registers(mode, registers_);
  if (mode != PagingMode::kNone) registers_.cr3.value = address_map_.first_table().value();
}

void Machine::check_has_paging(const std::string& what) const {
  if (address_map_.mode() != PagingMode::kNone) return;
  throw SetupError(fmt::format("{}: a guest that starts in {} has no page tables{}", what,
                               to_string(mode_),
                               mode_ != CpuMode::kReal16 ? " without set_paging()" : ""));
}

void Machine::map(const PageMapping& mapping) {
  check_not_running("map()");
  check_has_paging("the mapping " + to_string(mapping));
  address_map_.map(mapping);
}

void Machine::remap(const PageMapping& mapping) {
  check_not_running("remap()");
  check_has_paging("the mapping " + to_string(mapping));
  address_map_.remap(mapping);
}

void Machine::unmap(Gva gva, std::uint64_t size) {
  check_not_running("unmap()");
  check_has_paging("unmapping " + to_string(gva));
  address_map_.unmap(gva, size);
}

void Machine::set_page_tables_at(Gpa first_table) {
  check_not_running("set_page_tables_at()");
  check_has_paging("page tables at " + to_string(first_table));
  address_map_.place_at(first_table);
  registers_.cr3.value = first_table.value();
}

void Machine::set_cpl(unsigned cpl) {
  check_not_running("set_cpl()");
  if (mode_ == CpuMode::kReal16 || (cpl != 0 && cpl != 3)) {
    throw SetupError(
        fmt::format("a start at CPL {} in {}: a guest starts at CPL 0, or outside real "
                    "mode at CPL 3",
                    cpl, to_string(mode_)));
  }
  cpl_ = cpl;
  set_privilege(cpl, mode_, registers_);
  address_map_.set_user(cpl == 3);
}

void Machine::set_descriptor(std::uint16_t selector, const Descriptor& descriptor) {
  check_not_running("set_descriptor()");
  const std::uint16_t old_limit = descriptors_.gdt().limit();
  const Segment old_ldt = descriptors_.ldt_register();
  descriptors_.set(selector, descriptor);
  // What the test has set itself stays.
  const Gva gdt{(kSystemRegion + kGdtOffset).value()};
  if (registers_.gdt == DescriptorTableRegister{gdt, old_limit}) {
    registers_.gdt.limit = descriptors_.gdt().limit();
  }
  if (registers_.ldt == old_ldt) registers_.ldt = descriptors_.ldt_register();
}

void Machine::set_gate(Vector vector, const Descriptor& gate) {
  check_not_running("set_gate()");
  descriptors_.set_gate(vector, gate);
}

Segment Machine::segment(std::uint16_t selector) const {
  if (const std::optional<Segment> found = descriptors_.segment(selector)) return *found;
  throw DescriptorError(
      fmt::format("selector {:#x}: the start state's {} has no present code or data segment there",
                  selector, is_in_ldt(selector) ? "LDT" : "GDT"));
}

void Machine::set_msr(Msr msr, std::uint64_t value) {
  check_not_running("set_msr()");
  if (msr == Msr::kIa32Efer) {
    throw SetupError("IA32_EFER is one of the registers: set registers().efer");
  }
  start_msrs_.insert_or_assign(msr, value);
}

std::uint64_t Machine::msr(Msr msr) const {
  if (!has_ended_ || !vm_.has_value()) {
    throw SetupError(to_string(msr) + " can be read after a run: none has ended yet");
  }
  if (const auto value = vm_->vcpu().msr(static_cast<std::uint32_t>(msr))) return *value;
  throw SetupError(to_string(msr) + ": this KVM does not know the MSR");
}

SystemTables Machine::tables() const {
  if (last_registers_.has_value()) return tables_of(*last_registers_);
  throw SetupError(
      has_ended_ ? "the guest's tables can't be found: after the triple fault this host's KVM "
                   "has reset the registers that point to them"
                 : "the guest's tables can be read after a run: none has ended yet");
}

void Machine::set_timeout(std::chrono::milliseconds timeout) {
  check_not_running("set_timeout()");
  if (timeout < std::chrono::milliseconds{1} || timeout > std::chrono::hours{24}) {
    throw SetupError(fmt::format("a timeout of {} ms: it can be 1 ms to 24 hours (86400000 ms)",
                                 timeout.count()));
  }
  timeout_ = timeout;
}

}  // namespace hltest
