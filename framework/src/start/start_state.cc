#include <hltest/start_state.h>

#include <fmt/format.h>

#include <algorithm>

#include <hltest/error.h>

#include "start/default_registers.h"

namespace hltest {

StartState::StartState(CpuMode mode)
    : mode_(mode),
      address_map_(paging_mode(internal::default_registers(mode, Gpa{kMemorySize}))),
      descriptors_(mode) {
  update_defaults();
}

void StartState::update_defaults() {
  const Gpa end_of_ram{std::min(memory_size_, kSystemRegion.value())};
  Registers defaults = internal::default_registers(mode_, end_of_ram);
  if (mode_ != CpuMode::kReal16) {
    internal::set_privilege(cpl_, mode_, defaults);
    internal::set_paging_registers(address_map_.mode(), defaults);
    if (address_map_.mode() != PagingMode::kNone) {
      defaults.cr3.value = address_map_.first_table().value();
    }
    defaults.gdt.limit = descriptors_.gdt().limit();
    defaults.ldt = descriptors_.ldt_register();
  }
  registers.set_defaults(defaults);
}

void StartState::set_memory_size(std::uint64_t size) {
  memory_size_ = size;
  update_defaults();
}

void StartState::set_cpl(unsigned cpl) {
  if (mode_ == CpuMode::kReal16 || (cpl != 0 && cpl != 3)) {
    throw SetupError(
        fmt::format("a start at CPL {} in {}: a guest starts at CPL 0, or outside real "
                    "mode at CPL 3",
                    cpl, to_string(mode_)));
  }
  cpl_ = cpl;
  address_map_.set_user(cpl == 3);
  update_defaults();
}

void StartState::set_paging(PagingMode mode) {
  const bool legacy = mode == PagingMode::k32Bit || mode == PagingMode::kPae;
  const bool possible = is_ia32e(mode_)
                            ? mode == PagingMode::k4Level || mode == PagingMode::k5Level
                            : mode == PagingMode::kNone || (legacy && mode_ != CpuMode::kReal16);
  if (!possible) {
    throw SetupError(fmt::format("{}: a guest that starts in {} can't have it", to_string(mode),
                                 to_string(mode_)));
  }
  address_map_.set_mode(mode);
  update_defaults();
}

AddressMap& StartState::paging_for(const std::string& what) {
  if (address_map_.mode() != PagingMode::kNone) return address_map_;
  throw SetupError(fmt::format("{}: a guest that starts in {} has no page tables{}", what,
                               to_string(mode_),
                               mode_ != CpuMode::kReal16 ? " without set_paging()" : ""));
}

void StartState::set_page_tables_at(Gpa first_table) {
  paging_for("page tables at " + to_string(first_table)).place_at(first_table);
  update_defaults();
}

void StartState::set_descriptor(std::uint16_t selector, const Descriptor& descriptor) {
  descriptors_.set(selector, descriptor);
  update_defaults();
}

Segment StartState::segment(std::uint16_t selector) const {
  if (const std::optional<Segment> found = descriptors_.segment(selector)) return *found;
  throw DescriptorError(
      fmt::format("selector {:#x}: the start state's {} has no present segment there", selector,
                  is_in_ldt(selector) ? "LDT" : "GDT"));
}

}  // namespace hltest
