#include "machine/system_region.h"
#include <hltest/memory_layout.h>
#include <hltest/x86/vector.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace hltest {
namespace {

constexpr unsigned kVectors = 256;
constexpr std::uint64_t kHandlers = kSysenterOffset + 1;  // HLTs, from kHandlersOffset on
constexpr unsigned kHandlerIst = 1;
constexpr std::uint8_t kHlt = 0xF4;

template <typename T>
void put(std::span<std::uint8_t> region, std::uint64_t offset, const T& value) {
  std::memcpy(region.subspan(offset, sizeof value).data(), &value, sizeof value);
}

void put_bytes(std::span<std::uint8_t> region, std::uint64_t offset,
               const std::vector<std::uint8_t>& bytes) {
  std::ranges::copy(bytes, region.subspan(offset, bytes.size()).begin());
}

void put_tss(std::span<std::uint8_t> region, CpuMode mode) {
  const std::uint64_t stack = (kSystemRegion + kHandlerStackOffset).value() + 4 * kKiB;
  constexpr std::uint16_t kNoIoMap = 104;  // the I/O map base of a TSS that ends before it
  if (is_ia32e(mode)) {
    put(region, kTssOffset + 4, stack);   // RSP0 (SDM vol. 3, figure 8-11)
    put(region, kTssOffset + 36, stack);  // IST1
  } else {
    put(region, kTssOffset + 4, static_cast<std::uint32_t>(stack));  // ESP0 (figure 8-2)
    put(region, kTssOffset + 8, std::uint32_t{kDataSelector});       // SS0
  }
  put(region, kTssOffset + 102, kNoIoMap);
}

Descriptor handler_gate(unsigned vector, bool ia32e) {
  const std::uint64_t handler = (kSystemRegion + kHandlersOffset).value() + vector;
  // INT n may reach a gate from CPL 3, but not one of those whose frame holds an error code, which
  // INT n does not push.
  const unsigned dpl = pushes_error_code(static_cast<Vector>(vector)) ? 0 : 3;
  if (ia32e) {
    return InterruptGate64{
        .selector = kCode64Selector, .offset = handler, .dpl = dpl, .ist = kHandlerIst};
  }
  return InterruptGate32{.selector = kCode32Selector, .offset = handler, .dpl = dpl};
}

void put_idt(std::span<std::uint8_t> region, CpuMode mode, const StartDescriptors& descriptors) {
  const bool ia32e = is_ia32e(mode);
  const DescriptorFormat format = ia32e ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
  const std::uint64_t size = ia32e ? 16 : 8;
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    const auto own = descriptors.gates().find(static_cast<Vector>(vector));
    const EncodedDescriptor gate = encode(
        own != descriptors.gates().end() ? own->second : handler_gate(vector, ia32e), format);
    put(region, kIdtOffset + vector * size, gate.low);
    if (ia32e) put(region, kIdtOffset + vector * size + 8, gate.high);
  }
}

using InterruptVectorTable = std::array<std::uint16_t, std::size_t{2} * kVectors>;

InterruptVectorTable interrupt_vector_table(const StartDescriptors& descriptors) {
  InterruptVectorTable table{};
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    IvtEntry entry{.cs = static_cast<std::uint16_t>(kRomRegion.value() / 16),
                   .ip = static_cast<std::uint16_t>(kHandlersOffset + vector)};
    const auto own = descriptors.gates().find(static_cast<Vector>(vector));
    if (own != descriptors.gates().end()) entry = std::get<IvtEntry>(own->second);
    table.at(std::size_t{2} * vector) = entry.ip;
    table.at(std::size_t{2} * vector + 1) = entry.cs;
  }
  return table;
}

Gva lay_out_rom(GuestMemory& memory, const StartDescriptors& descriptors, const FlatImage& image) {
  const std::span<std::uint8_t> rom = memory.create_system_region(kRomSize);
  std::ranges::fill(rom.subspan(kHandlersOffset, kVectors), kHlt);
  const InterruptVectorTable table = interrupt_vector_table(descriptors);
  put(rom, kIdtOffset, table);
  if (image.load_address() < Gpa{sizeof table}) return Gva{(kRomRegion + kIdtOffset).value()};
  memory.write(Gpa{0}, table);
  return Gva{0};
}

void put_page_tables(GuestMemory& memory, std::span<std::uint8_t> region,
                     const PlacedPageTables& paging) {
  for (Gpa at = paging.first_table; const PageTable& table : paging.tables) {
    if (paging.first_table >= kSystemRegion && paging.first_table < kHighMemory) {
      std::ranges::copy(table, region.subspan(at - kSystemRegion).begin());
    } else {
      memory.write_bytes(at, table);
    }
    at = at + sizeof(PageTable);
  }
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

Gva lay_out_system_region(GuestMemory& memory, CpuMode mode, const StartDescriptors& descriptors,
                          const AddressMap& map, const FlatImage& image) {
  if (mode == CpuMode::kReal16) return lay_out_rom(memory, descriptors, image);

  PlacedPageTables paging{.region_size = kPageTablesOffset};
  if (map.mode() != PagingMode::kNone) {
    paging = map.build(memory);
    check_apart(paging, image);
  }

  const std::span<std::uint8_t> region = memory.create_system_region(paging.region_size);
  std::ranges::fill(region.subspan(kHandlersOffset, kHandlers), kHlt);
  put_idt(region, mode, descriptors);
  put_bytes(region, kGdtOffset, descriptors.gdt().bytes());
  put_bytes(region, kLdtOffset, descriptors.ldt().bytes());
  put_tss(region, mode);
  put_page_tables(memory, region, paging);
  return Gva{(kSystemRegion + kIdtOffset).value()};
}

}  // namespace hltest
