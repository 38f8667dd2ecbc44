#include <hltest/x86/paging.h>

#include <fmt/format.h>

#include <algorithm>

namespace hltest {
namespace {

constexpr std::uint64_t kPresent = 1U << 0U;
constexpr std::uint64_t kLargePage = 1U << 7U;  // PS
constexpr std::uint64_t kAddress = 0x000F'FFFF'FFFF'F000;
constexpr std::uint64_t kPhysicalLimit = 1ULL << 52U;
constexpr unsigned kLevels = 4;
constexpr unsigned kIndexBits = 9;
constexpr unsigned kPageShift = 12;

Gva last_byte(const PageMapping& mapping) { return mapping.gva + (mapping.size - 1); }

void check(const PageMapping& mapping) {
  const auto page = static_cast<std::uint64_t>(mapping.page_size);
  if (mapping.size == 0) {
    throw PagingError(fmt::format("the mapping of {} is empty", to_string(mapping.gva)));
  }
  if (!mapping.gva.is_aligned(page) || !mapping.gpa.is_aligned(page) || mapping.size % page != 0) {
    throw PagingError(fmt::format(
        "the mapping {} of {:#x} bytes is misaligned: both addresses and the size have to be "
        "multiples of its page size, {:#x}",
        to_string(mapping), mapping.size, page));
  }
  if (last_byte(mapping) < mapping.gva || !is_canonical(mapping.gva) ||
      !is_canonical(last_byte(mapping)) ||
      (mapping.gva.value() ^ last_byte(mapping).value()) >> 63U != 0) {
    throw PagingError(
        fmt::format("the mapping {} leaves the canonical addresses of 4-level paging "
                    "(0 to 0x7fffffffffff and from 0xffff800000000000 on)",
                    to_string(mapping)));
  }
  if (mapping.gpa.value() >= kPhysicalLimit ||
      mapping.size > kPhysicalLimit - mapping.gpa.value()) {
    throw PagingError(fmt::format("the mapping {} goes beyond the 52 bits of a physical address",
                                  to_string(mapping)));
  }
}

/// Places tables as they are needed and fills in one page's entry at a time.
class Builder {
 public:
  explicit Builder(Gpa first_table) : first_table_(first_table), tables_(1) {}

  void map(const PageMapping& mapping) {
    const auto page = static_cast<std::uint64_t>(mapping.page_size);
    const bool large = mapping.page_size == PageSize::k2MiB;
    for (std::uint64_t offset = 0; offset < mapping.size; offset += page) {
      std::uint64_t& entry = walk(mapping.gva + offset, large ? 1 : 0, mapping.flags);
      entry = (mapping.gpa + offset).value() | static_cast<std::uint64_t>(mapping.flags) |
              kPresent | (large ? kLargePage : 0);
    }
  }

  std::vector<PageTable> take() { return std::move(tables_); }

 private:
  // The entry for `gva` at `level` (0 is the page table's). The tables on the way allow what any
  // page below them is allowed: the last level decides.
  std::uint64_t& walk(Gva gva, unsigned level, PageFlags flags) {
    const std::uint64_t access =
        static_cast<std::uint64_t>(flags) & static_cast<std::uint64_t>(kReadWrite | kUser);
    std::size_t table = 0;
    for (unsigned above = kLevels - 1; above > level; --above) {
      const std::size_t index = index_of(gva, above);
      if (tables_[table][index] == 0) {
        tables_[table][index] = (first_table_ + tables_.size() * sizeof(PageTable)).value();
        tables_.emplace_back();
      }
      std::uint64_t& entry = tables_[table][index];
      entry |= kPresent | access;
      table = (Gpa{entry & kAddress} - first_table_) / sizeof(PageTable);
    }
    return tables_[table][index_of(gva, level)];
  }

  static std::size_t index_of(Gva gva, unsigned level) {
    return gva.value() >> (kPageShift + kIndexBits * level) & ((1U << kIndexBits) - 1);
  }

  Gpa first_table_;
  std::vector<PageTable> tables_;
};

}  // namespace

std::string to_string(const PageMapping& mapping) {
  return fmt::format("{}-{} -> {}, {} pages", to_string(mapping.gva),
                     to_string(mapping.gva + (mapping.size - 1)), to_string(mapping.gpa),
                     mapping.page_size == PageSize::k2MiB ? "2 MiB" : "4 KiB");
}

void PageMap::map(const PageMapping& mapping) {
  check(mapping);
  const auto next = std::ranges::upper_bound(mappings_, mapping.gva, {}, &PageMapping::gva);
  if (next != mappings_.end() && next->gva <= last_byte(mapping)) {
    throw PagingError(fmt::format("the mapping {} overlaps the mapping {}", to_string(mapping),
                                  to_string(*next)));
  }
  if (next != mappings_.begin() && last_byte(*std::prev(next)) >= mapping.gva) {
    throw PagingError(fmt::format("the mapping {} overlaps the mapping {}", to_string(mapping),
                                  to_string(*std::prev(next))));
  }
  mappings_.insert(next, mapping);
}

std::vector<PageTable> build_page_tables(const PageMap& map, Gpa first_table) {
  Builder builder{first_table};
  for (const PageMapping& mapping : map.mappings()) builder.map(mapping);
  return builder.take();
}

}  // namespace hltest
