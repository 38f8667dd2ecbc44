#include <hltest/x86/paging.h>

#include <fmt/format.h>

#include <cstring>

namespace hltest {
namespace {

constexpr std::uint64_t kPresent = 1U << 0U;
constexpr std::uint64_t kLargePage = 1U << 7U;      // PS
constexpr std::uint64_t kLargePagePat = 1U << 12U;  // where a large page has PAT
constexpr std::uint64_t kAddress = 0x000F'FFFF'FFFF'F000;

/// Places tables as they are needed, and fills in the pages of one table at a time.
class Builder {
 public:
  Builder(PagingMode mode, Gpa first_table)
      : mode_(mode), format_(paging_format(mode)), first_table_(first_table) {
    if (!first_table.is_aligned(sizeof(PageTable))) {
      throw PagingError(fmt::format("page tables at {}: a table is at a multiple of 4 KiB",
                                    to_string(first_table)));
    }
    place_table();
  }

  void map(const PageMapping& mapping) {
    for (std::uint64_t offset = 0; offset < mapping.size;) {
      const unsigned level = level_for(mapping, offset);
      const std::size_t table = table_for(mapping.gva + offset, level, mapping.flags);
      std::uint64_t index = format_.index(mapping.gva + offset, level);
      do {
        write(table, index, page_entry(mapping, offset, level));
        offset += format_.covered(level);
      } while (++index < format_.entries(level) && offset < mapping.size &&
               level_for(mapping, offset) == level);
    }
  }

  std::vector<PageTable> take() { return std::move(tables_); }

 private:
  // The level whose entry maps the page at `offset`: that of the size asked for, else of the
  // largest that is aligned on both sides and does not reach beyond the mapping.
  [[nodiscard]] unsigned level_for(const PageMapping& mapping, std::uint64_t offset) const {
    // 1 GiB pages are used only where they are asked for: not every processor has them.
    constexpr unsigned kLargestLevel = 1;
    if (mapping.page_size == PageSize::k4KiB) return 0;
    if (mapping.page_size == PageSize::k1GiB) return 2;
    if (mapping.page_size != PageSize::kLargest) return kLargestLevel;
    const std::uint64_t large = format_.covered(kLargestLevel);
    const bool fits = (mapping.gva + offset).is_aligned(large) &&
                      (mapping.gpa + offset).is_aligned(large) && mapping.size - offset >= large;
    return fits ? kLargestLevel : 0;
  }

  [[nodiscard]] static std::uint64_t page_entry(const PageMapping& mapping, std::uint64_t offset,
                                                unsigned level) {
    auto flags = static_cast<std::uint64_t>(mapping.flags);
    if (level > 0) {
      const bool pat = (mapping.flags & kPat) != kReadOnly;
      flags = (flags & ~kLargePage) | kLargePage | (pat ? kLargePagePat : 0);
    }
    return (mapping.gpa + offset).value() | flags | kPresent;
  }

  // Goes down the levels to the table that has the entry. The tables on the way allow what any page
  // below them is allowed: the last level decides.
  std::size_t table_for(Gva gva, unsigned level, PageFlags flags) {
    const std::uint64_t access =
        static_cast<std::uint64_t>(flags & (kReadWrite | kUser)) | kPresent;
    std::size_t table = 0;
    for (unsigned above = format_.levels - 1; above > level; --above) {
      std::uint64_t entry = read(table, format_.index(gva, above));
      if (entry == 0) entry = place_table();
      // The four entries of PAE's first table have neither R/W nor U/S: they are reserved there.
      const bool is_pae_pointer = mode_ == PagingMode::kPae && above == 2;
      entry |= is_pae_pointer ? kPresent : access;
      write(table, format_.index(gva, above), entry);
      table = (Gpa{entry & kAddress} - first_table_) / sizeof(PageTable);
    }
    return table;
  }

  std::uint64_t place_table() {
    const Gpa table = first_table_ + tables_.size() * sizeof(PageTable);
    // In PAE paging CR3 has 32 bits, in 32-bit paging all entries have.
    const unsigned bits = format_.linear_bits == 32 ? 32 : format_.physical_bits;
    if ((table.value() >> bits) != 0) {
      throw PagingError(fmt::format("page tables for {} at {}: an address has {} bits there",
                                    to_string(mode_), to_string(table), bits));
    }
    tables_.emplace_back();
    return table.value();
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
  std::vector<PageTable> tables_;
};

}  // namespace

std::vector<PageTable> build_page_tables(const PageMap& map, Gpa first_table) {
  Builder builder{map.mode(), first_table};
  for (const PageMapping& mapping : map.mappings()) builder.map(mapping);
  return builder.take();
}

}  // namespace hltest
