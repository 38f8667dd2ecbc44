// Whatever registers, memory, vector and error code a fault comes with: its cause, and what its
// delivery would trip over, are each said in one line of ASCII, or not at all.
#include "x86/causes/delivery.h"
#include "x86/causes/fault_cause.h"
#include "x86/registers/read_number.h"

#include "input.h"

using namespace hltest;
using namespace hltest::internal;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  Fault fault{.vector = Vector{input.ConsumeIntegral<std::uint8_t>()}};
  if (input.ConsumeBool()) fault.error_code = static_cast<std::uint32_t>(fuzz::number(input));
  fault.address = Gva{fuzz::number(input)};
  fault.registers = fuzz::registers(input);
  const fuzz::Memory memory{input};
  const PhysicalReader entry_at = [&](Gpa gpa, unsigned count) -> std::optional<std::uint64_t> {
    const std::vector<std::uint8_t> bytes = memory.read(gpa.value(), count);
    return bytes.size() == count ? std::optional{little_endian(bytes)} : std::nullopt;
  };
  fault.walk = [&](Gva gva) { return walk_pages(paging_context(fault.registers), gva, entry_at); };
  fault.read = [&](Gva gva, std::size_t count) { return memory.read(gva.value(), count); };
  fault.read_physical = [&](Gpa gpa, std::size_t n) { return memory.read(gpa.value(), n); };

  fuzz::require_one_line(fault_cause(fault));
  fuzz::require_one_line(
      obstacle_to_delivery(fault.vector, fault.registers, fault.walk, fault.read));
  return 0;
}
