#include <hltest/x86/paging.h>
#include "x86/paging/page_entry.h"

#include <fmt/format.h>

#include <cstring>

namespace hltest {

using namespace internal;
namespace {

/// Places tables when a mapping requires them, and fills in one table's pages at a time.
class Builder {
 public:
  Builder(PagingMode mode, Gpa first_table, const LargePages& available)
      : mode_(mode),
        format_(paging_format(mode)),
        first_table_(first_table),
        has_large_pages_(mode != PagingMode::k32Bit || available.pse),
        has_gigabyte_pages_(available.gigabyte) {
    if (!first_table.is_aligned(sizeof(PageTable))) {
      throw PagingError(fmt::format("page tables at {}: a table has to be at a multiple of 4 KiB",
                                    to_string(first_table)));
    }
    place_table();
  }

  void map(const PageMapping& mapping) {
    check(mapping);
    for (std::uint64_t offset = 0; offset < mapping.size;) {
      const unsigned level = level_for(mapping, offset);
      const std::size_t table = table_for(mapping.gva + offset, level, mapping.flags);
      std::uint64_t index = format_.index(mapping.gva + offset, level);
      do {
        write(table, index,
              PageEntry::page(mode_, level, mapping.gpa + offset, mapping.flags).value);
        offset += format_.covered(level);
      } while (++index < format_.entries(level) && offset < mapping.size &&
               level_for(mapping, offset) == level);
    }
  }

  std::vector<PageTable> take() { return std::move(tables_); }

 private:
  void check(const PageMapping& mapping) const {
    const bool lacks_pse = mapping.page_size == PageSize::k4MiB && !has_large_pages_;
    const bool lacks_gigabyte = mapping.page_size == PageSize::k1GiB && !has_gigabyte_pages_;
    if (!lacks_pse && !lacks_gigabyte) return;
    throw PagingError(fmt::format(
        "the mapping {}: {}", to_string(mapping),
        lacks_pse ? "CR4.PSE is 0, which 4 MiB pages require" : "CPUID shows no 1 GiB pages"));
  }

  // The level whose entry maps the page at `offset`: that of the size asked for, else of the
  // largest that is aligned on both sides and does not reach beyond the mapping.
  [[nodiscard]] unsigned level_for(const PageMapping& mapping, std::uint64_t offset) const {
    // 1 GiB pages are used only where they are asked for: not every processor has them.
    constexpr unsigned kLargestLevel = 1;
    if (mapping.page_size == PageSize::k4KiB || !has_large_pages_) return 0;
    if (mapping.page_size == PageSize::k1GiB) return 2;
    if (mapping.page_size != PageSize::kLargest) return kLargestLevel;
    const std::uint64_t large = format_.covered(kLargestLevel);
    const bool fits = (mapping.gva + offset).is_aligned(large) &&
                      (mapping.gpa + offset).is_aligned(large) && mapping.size - offset >= large;
    return fits ? kLargestLevel : 0;
  }

  // Goes down the levels to the table that has the entry. The tables on the way allow what any page
  // below them is allowed: the last level decides.
  std::size_t table_for(Gva gva, unsigned level, PageFlags flags) {
    std::size_t table = 0;
    for (unsigned above = format_.levels - 1; above > level; --above) {
      const std::uint64_t index = format_.index(gva, above);
      PageEntry entry{.mode = mode_, .level = above, .value = read(table, index)};
      const Gpa next = entry.present() ? entry.table_address() : place_table();
      entry.value |= PageEntry::table(mode_, above, next, flags).value;
      write(table, index, entry.value);
      table = (next - first_table_) / sizeof(PageTable);
    }
    return table;
  }

  Gpa place_table() {
    const Gpa table = first_table_ + tables_.size() * sizeof(PageTable);
    // In PAE paging CR3 has 32 bits, in 32-bit paging all entries have.
    const unsigned bits = format_.linear_bits == 32 ? 32 : format_.physical_bits;
    if ((table.value() >> bits) != 0) {
      throw PagingError(
          fmt::format("page tables for {} at {}: an entry holds only {} bits of an address",
                      to_string(mode_), to_string(table), bits));
    }
    tables_.emplace_back();
    return table;
  }

  [[nodiscard]] std::uint64_t read(std::size_t table, std::uint64_t index) const {
    std::uint64_t entry = 0;
    std::memcpy(&entry, tables_[table].data() + index * format_.entry_size, format_.entry_size);
    return entry;
  }
  void write(std::size_t table, std::uint64_t index, std::uint64_t entry) {
    std::memcpy(tables_[table].data() + index * format_.entry_size, &entry, format_.entry_size);
  }

  PagingMode mode_;
  PagingFormat format_;
  Gpa first_table_;
  bool has_large_pages_;
  bool has_gigabyte_pages_;
  std::vector<PageTable> tables_;
};

}  // namespace

std::vector<PageTable> build_page_tables(const PageMap& map, Gpa first_table,
                                         const LargePages& available) {
  Builder builder{map.mode(), first_table, available};
  for (const PageMapping& mapping : map.mappings()) builder.map(mapping);
  return builder.take();
}

}  // namespace hltest
