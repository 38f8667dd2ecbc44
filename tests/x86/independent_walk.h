#pragma once

#include <hltest/x86/paging.h>

#include <cstdint>
#include <optional>
#include <vector>

/// A walk over page tables that shares nothing with the framework's: it follows the SDM's figures
/// over the bytes. A reserved bit that is set is a test failure.
namespace independent {

/// Where the tables are: one behind the other from here on.
inline constexpr hltest::Gpa kTables{0x7000};

struct Translation {
  std::uint64_t gpa;
  bool writable;
  bool user;
  bool executable;
  friend bool operator==(const Translation&, const Translation&) = default;
};

/// `size` bytes at a physical address within the tables.
std::uint64_t read(const std::vector<hltest::PageTable>& tables, std::uint64_t gpa, unsigned size);

/// Nothing where `gva` is not mapped.
std::optional<Translation> walk(hltest::PagingMode mode,
                                const std::vector<hltest::PageTable>& tables, std::uint64_t gva);

/// In 4-level paging.
inline std::optional<Translation> walk(const std::vector<hltest::PageTable>& tables,
                                       std::uint64_t gva) {
  return walk(hltest::PagingMode::k4Level, tables, gva);
}

}  // namespace independent
