#include "machine/setup.h"
#include "machine/start_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace hltest {
namespace {

constexpr std::uint64_t kFirstMebibyte = 0x10'0000;

// CS and IP share an address that CS = 0 does not reach, as a far jump to it would have them.
void reach_with_code_segment(Gva entry, Registers& registers) {
  registers.cs.selector = static_cast<std::uint16_t>(entry.value() >> 4U);
  registers.cs.base = Gva{entry.value() & ~0xFULL};
}

// What no processor can have come to: the DPL of CS and of SS are the CPL (SDM vol. 3, 5.5).
void check_privilege(const Registers& registers) {
  constexpr unsigned kCode = 8;
  constexpr unsigned kConforming = 4;
  const Segment& cs = registers.cs;
  if ((cs.type & kCode) == 0) {
    throw SetupError(fmt::format("cs = {:#x}: it is not a code segment", cs.selector));
  }
  if ((cs.type & kConforming) == 0 && !registers.ss.unusable && cs.dpl != registers.ss.dpl) {
    throw SetupError(fmt::format("cs = {:#x} is for CPL {}, and ss = {:#x} for CPL {}: set both",
                                 cs.selector, cs.dpl, registers.ss.selector, registers.ss.dpl));
  }
}

void check_entry(std::string_view image, const Registers& registers, CpuMode mode,
                 const GuestMemory& memory, const AddressMap& map) {
  const Gva address = registers.code_address();
  const bool is_64_bit = mode == CpuMode::kLong64;
  if (registers.cr0.pe()) check_privilege(registers);
  const std::string what = fmt::format("the entry {} of {}", to_string(address), image);
  if (!is_64_bit && registers.rip > registers.cs.limit) {
    throw SetupError(
        fmt::format("{} is not within CS, whose base is {} and whose limit is {:#x}: set CS, or "
                    "enter the image elsewhere",
                    what, to_string(registers.cs.base), registers.cs.limit));
  }
  // Where a test brought page tables of its own, only they know.
  const bool framework_tables = registers.cr3.table() == map.first_table();
  if (registers.cr0.pg() && !framework_tables) return;
  const bool in_memory = memory.is_ram(Gpa{address.value()}, 1) || map.is_mapped_by_test(address);
  if (!in_memory) {
    throw SetupError(fmt::format("{} is outside the guest's memory, {}: enter it elsewhere{}", what,
                                 memory.describe_ram(),
                                 registers.cr0.pg() ? ", or map() memory there" : ""));
  }
}

}  // namespace

void check_image(const FlatImage& image, const GuestMemory& memory, const MmioBus& mmio) {
  const std::string what = fmt::format("the image {} ({:#x} bytes, loaded at {})", image.name(),
                                       image.bytes().size(), to_string(image.load_address()));
  if (image.bytes().empty()) throw SetupError(what + " is empty: it needs an instruction at least");
  if (!memory.is_ram(image.load_address(), image.bytes().size())) {
    const auto [base, last] = memory.framework_range();
    const Gpa end = image.load_address() + (image.bytes().size() - 1);
    if (image.load_address() <= last && end >= base && end >= image.load_address()) {
      throw SetupError(
          fmt::format("{} is in the way: the framework keeps its own tables from {} to {}; load it "
                      "elsewhere",
                      what, to_string(base), to_string(last)));
    }
    throw SetupError(
        fmt::format("{} does not fit in the guest's memory, {}: load it elsewhere, or give the "
                    "guest more memory",
                    what, memory.describe_ram()));
  }
  for (const MmioBus::Range& range : mmio.ranges()) {
    if (memory.overlaps(range.base, range.size)) {
      throw SetupError(fmt::format(
          "the MMIO handler for {}-{} would never be asked: the guest has "
          "memory there ({})",
          to_string(range.base), to_string(range.base + (range.size - 1)), memory.describe_ram()));
    }
  }
}

Registers entry_registers(const FlatImage& image, const Registers& base,
                          const StartRegisters& start, CpuMode mode, const GuestMemory& memory,
                          const AddressMap& map) {
  const Registers standard = start_registers(mode, memory.end_of_low_ram());
  Registers registers = base;
  const Gva entry = image.entry();
  if (!start.rip.has_value() && base.rip == 0) {
    const bool out_of_reach = entry.value() > 0xFFFF && entry.value() < kFirstMebibyte;
    if (mode == CpuMode::kReal16 && registers.cs == standard.cs && out_of_reach) {
      reach_with_code_segment(entry, registers);
    }
    registers.rip = mode == CpuMode::kLong64 ? entry.value() : entry - registers.cs.base;
  }
  apply(start, mode, registers);
  check_entry(image.name(), registers, mode, memory, map);
  return registers;
}

}  // namespace hltest
