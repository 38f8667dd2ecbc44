#include "start/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include <hltest/error.h>
#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

constexpr std::uint64_t kFirstMebibyte = 0x10'0000;

// The first and the last address that a test leaves to the framework (and, below 4 GiB, to KVM).
std::pair<Gpa, Gpa> framework_range(const MemoryLayout& memory) {
  if (memory.has_rom()) return {kRomRegion, kRomRegion + (kRomFreeOffset - 1)};
  return {kSystemRegion, kHighMemory - 1};
}

// An image can be RAM, or in real mode ROM of the test's.
bool is_loadable(const MemoryLayout& memory, Gpa gpa, std::uint64_t count) {
  const Gpa rom = kRomRegion + kRomFreeOffset;
  const bool is_rom = memory.has_rom() && gpa >= rom && gpa - rom <= kRomSize - kRomFreeOffset &&
                      count <= kRomSize - kRomFreeOffset - (gpa - rom);
  return is_rom || is_ram(memory, gpa, count);
}

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

SetupError not_within_cs(Gva entry, std::string_view image, const Segment& cs) {
  return SetupError(fmt::format(
      "the entry {} of {} is not within CS, whose base is {} and whose limit is {:#x}: set CS, or "
      "enter the image elsewhere",
      to_string(entry), image, to_string(cs.base), cs.limit));
}

void check_entry(std::string_view image, const Registers& registers, CpuMode mode,
                 const MemoryLayout& memory, const AddressMap& map) {
  constexpr std::uint64_t kMostCr8 = 15;
  if (registers.cr8 > kMostCr8) {
    throw SetupError(fmt::format("cr8 = {:#x}: the task priority is 0 to 15", registers.cr8));
  }
  const Gva address = registers.code_address();
  const bool is_64_bit = mode == CpuMode::kLong64;
  if (registers.cr0.pe()) check_privilege(registers);
  if (!is_64_bit && registers.rip > registers.cs.limit) {
    throw not_within_cs(address, image, registers.cs);
  }
  // Where a test brought page tables of its own, only they know.
  const bool framework_tables = registers.cr3.table() == map.first_table();
  if (registers.cr0.pg() && !framework_tables) return;
  const bool in_memory =
      is_loadable(memory, Gpa{address.value()}, 1) || map.is_mapped_by_test(address);
  if (!in_memory) {
    throw SetupError(
        fmt::format("the entry {} of {} is outside the guest's memory, {}: enter it elsewhere{}",
                    to_string(address), image, describe_ram(memory),
                    registers.cr0.pg() ? ", or map() memory there" : ""));
  }
}

}  // namespace

void check_image(const FlatImage& image, const MemoryLayout& memory) {
  const std::string what = fmt::format("the image {} ({:#x} bytes, loaded at {})", image.name(),
                                       image.bytes().size(), to_string(image.load_address()));
  if (image.bytes().empty()) throw SetupError(what + " is empty: it needs an instruction at least");
  if (!is_loadable(memory, image.load_address(), image.bytes().size())) {
    const auto [base, last] = framework_range(memory);
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
                    what, describe_ram(memory)));
  }
}

Registers entry_registers(const FlatImage& image, const StartState& state,
                          const StartRegisters& start, const MemoryLayout& memory) {
  const CpuMode mode = state.mode();
  Registers registers = state.registers.values();
  const Gva entry = image.entry();
  if (!start.rip.has_value() && !state.registers.rip.is_given()) {
    const bool out_of_reach = entry.value() > 0xFFFF && entry.value() < kFirstMebibyte;
    if (mode == CpuMode::kReal16 && !state.registers.cs.is_given() && out_of_reach) {
      reach_with_code_segment(entry, registers);
    }
    registers.rip = mode == CpuMode::kLong64 ? entry.value() : entry - registers.cs.base;
    if (mode != CpuMode::kLong64 && registers.rip > 0xFFFF'FFFF) {
      throw not_within_cs(entry, image.name(), registers.cs);
    }
  }
  apply(start, mode, registers);
  check_entry(image.name(), registers, mode, memory, state.address_map());
  return registers;
}

}  // namespace hltest::internal
