#include "independent_walk.h"

#include <gtest/gtest.h>

#include <cstring>

namespace independent {

using namespace hltest;

std::uint64_t read(const std::vector<PageTable>& tables, std::uint64_t gpa, unsigned size) {
  std::uint64_t value = 0;
  const std::uint64_t offset = gpa - kTables.value();
  std::memcpy(&value, tables.at(offset / 4096).data() + offset % 4096, size);
  return value;
}

namespace {

void allow(Translation& result, std::uint64_t entry) {
  result.writable = result.writable && (entry & 2) != 0;
  result.user = result.user && (entry & 4) != 0;
  result.executable = result.executable && (entry >> 63) == 0;
}

// SDM vol. 3, figures 4-2 and 4-3.
std::optional<Translation> walk_32_bit(const std::vector<PageTable>& tables, std::uint64_t gva) {
  Translation result{0, true, true, true};
  const std::uint64_t pde = read(tables, kTables.value() + (gva >> 22) * 4, 4);
  if ((pde & 1) == 0) return std::nullopt;
  allow(result, pde);
  if ((pde & 0x80) != 0) {
    EXPECT_EQ(pde & 0x3FE000, 0U) << "PSE-36 and reserved bits";
    result.gpa = (pde & 0xFFC00000) | (gva & 0x3FFFFF);
    return result;
  }
  const std::uint64_t pte = read(tables, (pde & 0xFFFFF000) + (gva >> 12 & 0x3FF) * 4, 4);
  if ((pte & 1) == 0) return std::nullopt;
  allow(result, pte);
  result.gpa = (pte & 0xFFFFF000) | (gva & 0xFFF);
  return result;
}

// SDM vol. 3, figures 4-5 to 4-10; `shift` is that of the first table whose entries have flags.
std::optional<Translation> walk_64_bit_entries(const std::vector<PageTable>& tables,
                                               std::uint64_t gva, std::uint64_t table, int shift) {
  Translation result{0, true, true, true};
  for (;; shift -= 9) {
    const std::uint64_t entry = read(tables, table + (gva >> shift & 511) * 8, 8);
    if ((entry & 1) == 0) return std::nullopt;
    allow(result, entry);
    const std::uint64_t address = entry & 0x000FFFFFFFFFF000;
    if (shift == 12 || (shift <= 30 && (entry & 0x80) != 0)) {
      const std::uint64_t mask = (1ULL << shift) - 1;
      EXPECT_EQ(address & mask, 0U) << "PAT and reserved bits of a large page";
      result.gpa = address | (gva & mask);
      return result;
    }
    table = address;
  }
}

std::optional<Translation> walk_pae(const std::vector<PageTable>& tables, std::uint64_t gva) {
  const std::uint64_t pdpte = read(tables, kTables.value() + (gva >> 30) * 8, 8);
  if ((pdpte & 1) == 0) return std::nullopt;
  EXPECT_EQ(pdpte & 0x80000000000001E6, 0U) << "reserved in a PDPTE (table 4-8)";
  return walk_64_bit_entries(tables, gva, pdpte & 0x000FFFFFFFFFF000, 21);
}

}  // namespace

std::optional<Translation> walk(PagingMode mode, const std::vector<PageTable>& tables,
                                std::uint64_t gva) {
  switch (mode) {
    case PagingMode::k32Bit:
      return gva >> 32 != 0 ? std::nullopt : walk_32_bit(tables, gva);
    case PagingMode::kPae:
      return gva >> 32 != 0 ? std::nullopt : walk_pae(tables, gva);
    case PagingMode::k5Level:
      return walk_64_bit_entries(tables, gva, kTables.value(), 48);
    default:
      return walk_64_bit_entries(tables, gva, kTables.value(), 39);
  }
}

}  // namespace independent
