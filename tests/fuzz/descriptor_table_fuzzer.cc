// Any memory can be read as the descriptor tables of any registers: an entry is within its table's
// limit, and each has its line.
#include <hltest/x86/descriptor_table.h>

#include "input.h"

namespace {

using namespace hltest;
using fuzz::require;

// What the table's limit says of an entry.
void check_entry(const std::optional<Descriptor>& entry, std::uint64_t last, std::uint64_t limit) {
  require(!entry || last <= limit, "beyond the limit there is nothing");
  if (entry) fuzz::require_one_line(to_string(*entry));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  Registers registers = fuzz::registers(input);
  const fuzz::Memory memory{input};
  const auto read = [&memory](Gva gva, std::size_t n) { return memory.read(gva.value(), n); };
  const DescriptorReader tables{registers, read};

  const auto selector = input.ConsumeIntegral<std::uint16_t>();
  const bool is_local = is_in_ldt(selector);
  require(!is_local || !registers.ldt.unusable || !tables.descriptor(selector), "there is no LDT");
  check_entry(tables.descriptor(selector), selector | 7U,
              is_local ? registers.ldt.limit : registers.gdt.limit);

  const auto vector = input.ConsumeIntegral<std::uint8_t>();
  const unsigned bytes = gate_size(registers);
  check_entry(tables.gate(Vector{vector}), vector * bytes + bytes - 1, registers.idt.limit);

  registers.gdt.limit &= 0x7F;  // of 8192 entries there would be as many lines
  registers.ldt.limit &= 0x7F;
  registers.idt.limit &= 0x7F;
  fuzz::require_lines(DescriptorReader{registers, read}.to_string());
  return 0;
}
