#include "start/system_tables.h"

#include <algorithm>

namespace hltest::internal {
namespace {

constexpr unsigned kHandlerIst = 1;
constexpr std::uint8_t kHlt = 0xF4;

Descriptor handler_gate(const HandlerGates& gates, unsigned vector) {
  const std::uint64_t handler = (gates.handlers + vector).value();
  const bool has_error_code = pushes_error_code(static_cast<Vector>(vector));
  const unsigned dpl = has_error_code && !gates.all_from_cpl_3 ? 0 : 3;
  if (gates.ia32e) {
    return InterruptGate64{
        .selector = gates.code, .offset = handler, .dpl = dpl, .ist = kHandlerIst};
  }
  return InterruptGate32{.selector = gates.code, .offset = handler, .dpl = dpl};
}

}  // namespace

void put_handlers(std::span<std::uint8_t> memory, std::uint64_t offset, std::uint64_t count) {
  std::ranges::fill(memory.subspan(offset, count), kHlt);
}

std::vector<std::uint8_t> idt_bytes(const HandlerGates& gates,
                                    const std::map<Vector, Descriptor>& own) {
  const auto format = gates.ia32e ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
  const std::uint64_t size = gates.ia32e ? 16 : 8;
  std::vector<std::uint8_t> bytes(kVectors * size);
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    const auto found = own.find(static_cast<Vector>(vector));
    const EncodedDescriptor gate =
        encode(found != own.end() ? found->second : handler_gate(gates, vector), format);
    put(bytes, vector * size, gate.low);
    if (gates.ia32e) put(bytes, vector * size + 8, gate.high);
  }
  return bytes;
}

std::vector<std::uint8_t> tss_bytes(bool ia32e, Gva stack_top, std::uint16_t stack_selector) {
  constexpr std::uint16_t kSize = 104;
  constexpr std::uint64_t kIoMapBase = 102;
  std::vector<std::uint8_t> bytes(kSize);
  if (ia32e) {
    put(bytes, 4, stack_top.value());   // RSP0
    put(bytes, 36, stack_top.value());  // IST1
  } else {
    put(bytes, 4, static_cast<std::uint32_t>(stack_top.value()));  // ESP0
    put(bytes, 8, std::uint32_t{stack_selector});                  // SS0
  }
  put(bytes, kIoMapBase, kSize);  // an I/O map that begins after the TSS's end is none
  return bytes;
}

}  // namespace hltest::internal
