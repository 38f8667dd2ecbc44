// What a test changes of a machine before it runs; machine.cc is the run.
#include <hltest/machine/machine.h>

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
  const bool legacy = mode == PagingMode::k32Bit || mode == PagingMode::kPae;
  const bool possible =
      mode_ == CpuMode::kLong64
          ? mode == PagingMode::k4Level || mode == PagingMode::k5Level
          : mode == PagingMode::kNone || (legacy && mode_ == CpuMode::kProtected32);
  if (!possible) {
    throw SetupError(fmt::format("{}: a guest that starts in {} can't have it", to_string(mode),
                                 to_string(mode_)));
  }
  address_map_.set_mode(mode);
  set_paging_registers(mode, registers_);
}

void Machine::check_has_paging(const std::string& what) const {
  if (address_map_.mode() != PagingMode::kNone) return;
  throw SetupError(fmt::format("{}: a guest that starts in {} has no page tables{}", what,
                               to_string(mode_),
                               mode_ == CpuMode::kProtected32 ? " without set_paging()" : ""));
}

void Machine::map(const PageMapping& mapping) {
  check_has_paging("the mapping " + to_string(mapping));
  address_map_.map(mapping);
}

void Machine::remap(const PageMapping& mapping) {
  check_has_paging("the mapping " + to_string(mapping));
  address_map_.remap(mapping);
}

void Machine::unmap(Gva gva, std::uint64_t size) {
  check_has_paging("unmapping " + to_string(gva));
  address_map_.unmap(gva, size);
}

void Machine::set_timeout(std::chrono::milliseconds timeout) {
  if (timeout < std::chrono::milliseconds{1} || timeout > std::chrono::hours{24}) {
    throw SetupError(fmt::format("a timeout of {} ms: it can be 1 ms to 24 hours (86400000 ms)",
                                 timeout.count()));
  }
  timeout_ = timeout;
}

}  // namespace hltest
