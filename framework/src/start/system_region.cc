#include "start/system_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/memory_layout.h>

#include "start/page_tables.h"
#include "start/system_tables.h"

namespace hltest::internal {
namespace {

constexpr std::uint64_t kHandlers = kSysenterOffset + 1;  // HLTs, from kHandlersOffset on

IvtEntry ivt_entry(const StartDescriptors& descriptors, unsigned vector) {
  const auto own = descriptors.gates().find(static_cast<Vector>(vector));
  if (own != descriptors.gates().end()) return std::get<IvtEntry>(own->second);
  return {.cs = kRomSegment, .ip = static_cast<std::uint16_t>(kHandlersOffset + vector)};
}

Gva put_rom(const StartState& state, const FlatImage& image, const std::vector<bool>& own_vectors,
            MemoryPages& memory) {
  memory.set_system_region(kRomSize, state.rom_is_writable);
  std::vector<std::uint8_t> handlers(kVectors);
  put_handlers(handlers, 0, kVectors);
  memory.write(kRomRegion + kHandlersOffset, handlers);

  std::vector<std::uint8_t> ivt(std::size_t{4} * kVectors);
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    const IvtEntry entry = ivt_entry(state.descriptors(), vector);
    put(ivt, std::uint64_t{4} * vector, std::array{entry.ip, entry.cs});
  }
  memory.write(kRomRegion + kIdtOffset, ivt);
  if (image.load_address() < Gpa{ivt.size()}) return Gva{(kRomRegion + kIdtOffset).value()};
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    if (own_vectors.at(vector)) continue;
    memory.write(Gpa{std::uint64_t{4} * vector},
                 std::span{ivt}.subspan(std::size_t{4} * vector, 4));
  }
  return Gva{0};
}

void check_apart(const PlacedPageTables& paging, const FlatImage& image) {
  const Gpa end = paging.first_table + paging.size();
  const Gpa image_end = image.load_address() + image.bytes().size();
  if (image.load_address() >= end || paging.first_table >= image_end) return;
  throw PagingError(fmt::format(
      "the page tables, {}-{}, would lie over the image {}, {}-{}: place one of them elsewhere",
      to_string(paging.first_table), to_string(end - 1), image.name(),
      to_string(image.load_address()), to_string(image_end - 1)));
}

}  // namespace

Gva put_system_region(const StartState& state, const FlatImage& image,
                      const Surroundings& surroundings, MemoryPages& memory) {
  if (state.mode() == CpuMode::kReal16)
    return put_rom(state, image, surroundings.own_vectors, memory);

  PlacedPageTables paging{.region_size = kPageTablesOffset};
  if (state.address_map().mode() != PagingMode::kNone) {
    paging = build_page_tables_for(
        state.address_map(), memory.layout(),
        {.pse = state.registers.cr4.value().pse(), .gigabyte = surroundings.has_gigabyte_pages});
    check_apart(paging, image);
  }
  memory.set_system_region(paging.region_size, false);

  const bool ia32e = is_ia32e(state.mode());
  const Gva handlers{(kSystemRegion + kHandlersOffset).value()};
  std::vector<std::uint8_t> hlts(kHandlers);
  put_handlers(hlts, 0, kHandlers);
  memory.write(kSystemRegion + kHandlersOffset, hlts);
  memory.write(
      kSystemRegion + kIdtOffset,
      idt_bytes(
          {.ia32e = ia32e, .code = ia32e ? kCode64Selector : kCode32Selector, .handlers = handlers},
          state.descriptors().gates()));
  memory.write(kSystemRegion + kGdtOffset, state.descriptors().gdt().bytes());
  memory.write(kSystemRegion + kLdtOffset, state.descriptors().ldt().bytes());
  memory.write(kSystemRegion + kTssOffset,
               tss_bytes(ia32e, Gva{kHandlerStackTop.value()}, kDataSelector));
  for (Gpa at = paging.first_table; const PageTable& table : paging.tables) {
    memory.write(at, table);
    at = at + sizeof(PageTable);
  }
  return Gva{(kSystemRegion + kIdtOffset).value()};
}

}  // namespace hltest::internal
