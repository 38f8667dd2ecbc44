#include <hltest/x86/paging.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace hltest {
namespace {

constexpr std::uint64_t kSmallestPage = 4 * kKiB;

bool has_page_size(PagingMode mode, PageSize size) {
  switch (size) {
    case PageSize::kLargest:
    case PageSize::k4KiB:
      return true;
    case PageSize::k2MiB:
      return mode != PagingMode::k32Bit;
    case PageSize::k4MiB:
      return mode == PagingMode::k32Bit;
    case PageSize::k1GiB:
      return mode == PagingMode::k4Level || mode == PagingMode::k5Level;
  }
  return false;
}

std::string name(PageSize size) {
  switch (size) {
    case PageSize::kLargest:
      return "the largest pages";
    case PageSize::k4KiB:
      return "4 KiB pages";
    case PageSize::k2MiB:
      return "2 MiB pages";
    case PageSize::k4MiB:
      return "4 MiB pages";
    case PageSize::k1GiB:
      return "1 GiB pages";
  }
  return "pages of unknown size";
}

std::uint64_t alignment(PageSize size) {
  return std::max(static_cast<std::uint64_t>(size), kSmallestPage);
}

bool has(PageFlags flags, PageFlags flag) { return (flags & flag) != kReadOnly; }

// The bits that are not flags, among them P, PS and the address.
std::uint64_t unknown_bits(PageFlags flags) {
  constexpr PageFlags kAll =
      kReadWrite | kUser | kWriteThrough | kCacheDisable | kPat | kGlobal | kNoExecute;
  return static_cast<std::uint64_t>(flags) & ~static_cast<std::uint64_t>(kAll);
}

std::string bit_numbers(std::uint64_t value) {
  std::string text;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((value >> bit & 1U) != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", bit);
  }
  return text;
}

}  // namespace

std::string to_string(PageFlags flags) {
  std::string text = "r";
  text += has(flags, kReadWrite) ? 'w' : '-';
  text += has(flags, kNoExecute) ? '-' : 'x';
  if (has(flags, kUser)) text += 'u';
  if (has(flags, kGlobal)) text += 'g';
  if (has(flags, kWriteThrough)) text += " PWT";
  if (has(flags, kCacheDisable)) text += " PCD";
  if (has(flags, kPat)) text += " PAT";
  return text;
}

std::string to_string(const PageMapping& mapping) {
  std::string text = fmt::format("{}-{} -> {}", to_string(mapping.gva), to_string(mapping.last()),
                                 to_string(mapping.gpa));
  if (mapping.page_size != PageSize::kLargest) text += ", " + name(mapping.page_size);
  return text;
}

PageMap::PageMap(PagingMode mode) : mode_(mode) {
  if (mode == PagingMode::kNone)
    throw PagingError("a page map requires a paging mode, and this is none");
}

void PageMap::check(const PageMapping& mapping) const {
  const PagingFormat format = paging_format(mode_);
  const std::uint64_t page = alignment(mapping.page_size);
  if (mapping.size == 0) {
    throw PagingError(fmt::format("the mapping of {} is empty", to_string(mapping.gva)));
  }
  if (!has_page_size(mode_, mapping.page_size)) {
    throw PagingError(fmt::format("the mapping {}: {} lacks {}", to_string(mapping),
                                  to_string(mode_), name(mapping.page_size)));
  }
  if (!mapping.gva.is_aligned(page) || !mapping.gpa.is_aligned(page) || mapping.size % page != 0) {
    throw PagingError(fmt::format(
        "the mapping {} of {:#x} bytes is misaligned: both addresses and the size have to be "
        "multiples of its page size, {:#x}",
        to_string(mapping), mapping.size, page));
  }
  const Gva last = mapping.last();
  const bool crosses_the_middle = (mapping.gva.value() ^ last.value()) >> 63U != 0;
  if (last < mapping.gva || crosses_the_middle || !is_valid_linear_address(mode_, mapping.gva) ||
      !is_valid_linear_address(mode_, last)) {
    throw PagingError(fmt::format("the mapping {} leaves {}", to_string(mapping),
                                  describe_linear_addresses(mode_)));
  }
  const std::uint64_t physical_limit = 1ULL << format.physical_bits;
  if (mapping.gpa.value() >= physical_limit ||
      mapping.size > physical_limit - mapping.gpa.value()) {
    throw PagingError(fmt::format("the mapping {} goes beyond the {} bits of a physical address",
                                  to_string(mapping), format.physical_bits));
  }
  if (const std::uint64_t unknown = unknown_bits(mapping.flags); unknown != 0) {
    throw PagingError(fmt::format("the mapping {}: its flags have bits set that are not flags: {}",
                                  to_string(mapping), bit_numbers(unknown)));
  }
  if (has(mapping.flags, kNoExecute) && mode_ == PagingMode::k32Bit) {
    throw PagingError(fmt::format("the mapping {}: 32-bit paging has no execute-disable bit",
                                  to_string(mapping)));
  }
}

void PageMap::map(const PageMapping& mapping) {
  check(mapping);
  const auto next = std::ranges::upper_bound(mappings_, mapping.gva, {}, &PageMapping::gva);
  const auto overlaps = [&](const PageMapping& other) {
    return PagingError(fmt::format("the mapping {} overlaps the mapping {}", to_string(mapping),
                                   to_string(other)));
  };
  if (next != mappings_.end() && next->gva <= mapping.last()) throw overlaps(*next);
  if (next != mappings_.begin() && std::prev(next)->last() >= mapping.gva) {
    throw overlaps(*std::prev(next));
  }
  mappings_.insert(next, mapping);
}

void PageMap::unmap(Gva gva, std::uint64_t size) {
  if (!gva.is_aligned(kSmallestPage) || size == 0 || size % kSmallestPage != 0 ||
      size - 1 > ~gva.value()) {
    throw PagingError(fmt::format(
        "unmapping {:#x} bytes from {} on: both have to be multiples of 4 KiB, and not wrap", size,
        to_string(gva)));
  }
  const Gva last = gva + (size - 1);
  if (!is_valid_linear_address(mode_, gva) || !is_valid_linear_address(mode_, last)) {
    throw PagingError(fmt::format("unmapping {}-{} leaves {}", to_string(gva), to_string(last),
                                  describe_linear_addresses(mode_)));
  }
  std::vector<PageMapping> kept;
  for (const PageMapping& mapping : mappings_) {
    if (mapping.last() < gva || mapping.gva > last) {
      kept.push_back(mapping);
      continue;
    }
    PageMapping part = mapping;
    part.page_size = PageSize::kLargest;
    if (mapping.gva < gva) {
      part.size = gva - mapping.gva;
      kept.push_back(part);
    }
    if (mapping.last() > last) {
      const std::uint64_t gone = last - mapping.gva + 1;
      part.gva = mapping.gva + gone;
      part.gpa = mapping.gpa + gone;
      part.size = mapping.size - gone;
      kept.push_back(part);
    }
  }
  mappings_ = std::move(kept);
}

void PageMap::remap(const PageMapping& mapping) {
  check(mapping);
  unmap(mapping.gva, mapping.size);
  map(mapping);
}

}  // namespace hltest
