#include "diagnosis/region_mapping.h"
#include <hltest/memory_layout.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/paging_mode.h>
#include "x86/paging/page_entry.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace hltest::internal {
namespace {

constexpr std::uint64_t kPage = 4 * kKiB;

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
    return kReplayRegion + offset + table * kPage;
  };

  const unsigned top = format.levels - 1;
  std::ranges::copy(
      first_table(registers, memory, std::uint64_t{format.entries(top)} * format.entry_size),
      tables.begin());
  const auto is_free = [&](std::uint64_t index) {
    return (entry_at(0, index)[0] & PageEntry::kP) == 0;
  };
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
    const PageEntry entry = PageEntry::table(mode, level, table_address(table + 1), kReadWrite);
    std::memcpy(entry_at(table, level == top ? *chosen : 0).data(), &entry.value,
                format.entry_size);
  }
  for (std::uint64_t page = 0; page < kReplayRegionSize / kPage; ++page) {
    const PageEntry entry = PageEntry::page(mode, 0, kReplayRegion + page * kPage, kReadWrite);
    std::memcpy(entry_at(top, page).data(), &entry.value, format.entry_size);
  }
  const std::uint64_t flags = registers.cr3.value & (mode == PagingMode::kPae ? 0x18 : 0xFFF);
  return RegionMapping{format.canonical(*chosen << format.shift(top)),
                       table_address(0).value() | flags};
}

}  // namespace hltest::internal
