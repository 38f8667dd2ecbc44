#include "diagnosis/region_mapping.h"
#include <hltest/memory_layout.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/paging_mode.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace hltest::internal {
namespace {

constexpr std::uint64_t kPage = 4 * kKiB;
constexpr std::uint64_t kPresent = 1;
constexpr std::uint64_t kWritable = 2;

std::uint64_t sign_extended(std::uint64_t linear, unsigned bits) {
  if (bits == 32) return linear;
  const std::uint64_t sign = 1ULL << (bits - 1);
  return (linear ^ sign) - sign;
}

// The guest's first table; a table outside memory maps nothing.
std::vector<std::uint8_t> first_table(const Registers& registers, const Backing& memory,
                                      std::uint64_t size) {
  const Gpa table = paging_context(registers).first_table;
  std::vector<std::uint8_t> bytes = memory.read(table, size);
  if (bytes.size() < size) bytes.assign(size, 0);
  return bytes;
}

}  // namespace

std::optional<RegionMapping> map_region(const Registers& registers, const Backing& memory,
                                        const std::vector<Gva>& in_use,
                                        std::span<std::uint8_t> tables, std::uint64_t offset) {
  const PagingMode mode = paging_mode(registers);
  if (mode == PagingMode::kNone) {
    return RegionMapping{Gva{kReplayRegion.value()}, registers.cr3.value};
  }
  const PagingFormat format = paging_format(mode);
  const auto entry_at = [&](std::uint64_t table, std::uint64_t index) {
    return tables.subspan(table * kPage + index * format.entry_size, format.entry_size);
  };
  const auto table_address = [&](std::uint64_t table) {
    return (kReplayRegion + offset + table * kPage).value();
  };

  const unsigned top = format.levels - 1;
  std::ranges::copy(
      first_table(registers, memory, std::uint64_t{format.entries(top)} * format.entry_size),
      tables.begin());
  const auto is_free = [&](std::uint64_t index) { return (entry_at(0, index)[0] & kPresent) == 0; };
  const auto is_unused = [&](std::uint64_t index) {
    return std::ranges::none_of(in_use, [&](Gva gva) { return format.index(gva, top) == index; });
  };
  std::optional<std::uint64_t> chosen;
  for (std::uint64_t index = format.entries(top); index-- > 0 && !chosen;) {
    if (is_free(index)) chosen = index;
  }
  for (std::uint64_t index = format.entries(top); index-- > 0 && !chosen;) {
    if (is_unused(index)) chosen = index;
  }
  if (!chosen) return std::nullopt;

  for (unsigned level = top; level > 0; --level) {
    const std::uint64_t table = top - level;
    // A PDPTE of PAE paging has no R/W.
    const bool is_pae_pointer = mode == PagingMode::kPae && level == top;
    const std::uint64_t entry =
        table_address(table + 1) | kPresent | (is_pae_pointer ? 0 : kWritable);
    std::memcpy(entry_at(table, level == top ? *chosen : 0).data(), &entry, format.entry_size);
  }
  for (std::uint64_t page = 0; page < kReplayRegionSize / kPage; ++page) {
    const std::uint64_t entry = (kReplayRegion + page * kPage).value() | kPresent | kWritable;
    std::memcpy(entry_at(top, page).data(), &entry, format.entry_size);
  }
  const std::uint64_t flags = registers.cr3.value & (mode == PagingMode::kPae ? 0x18 : 0xFFF);
  return RegionMapping{Gva{sign_extended(*chosen << format.shift(top), format.linear_bits)},
                       table_address(0) | flags};
}

}  // namespace hltest::internal
