#pragma once

#include <hltest/x86/page_walk.h>

#include <cstring>
#include <optional>
#include <vector>

/// Reads tables that lie one behind the other from `first` on, as the guest's physical memory.
inline hltest::PhysicalReader reader_of(const std::vector<hltest::PageTable>& tables,
                                        hltest::Gpa first) {
  return [&tables, first](hltest::Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
    const std::uint64_t offset = gpa - first;
    if (gpa < first || offset + size > tables.size() * sizeof(hltest::PageTable)) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, tables[offset / 4096].data() + offset % 4096, size);
    return value;
  };
}
