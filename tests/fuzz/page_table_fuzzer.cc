// Any memory can be walked as page tables of any mode, and listed: a walk ends at what stopped it,
// the ranges of the list are in order, and what a walk translates is what they say.
#include <hltest/x86/mapped_ranges.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "input.h"

namespace {

using namespace hltest;
using fuzz::require;

void check_walk(const PagingContext& context, const PageWalk& walk) {
  const unsigned levels = paging_format(context.mode).levels;
  require(walk.steps.size() <= levels, "a walk has no more steps than levels");
  for (std::size_t i = 0; i < walk.steps.size(); ++i) {
    require(walk.steps[i].level == levels - 1 - i, "it goes down level by level");
  }
  const bool present = !walk.steps.empty() && (walk.steps.back().entry & 1U) != 0;
  if (walk.end == WalkEnd::kNotPresent) require(!present, "the entry that is not present has no P");
  if (walk.end == WalkEnd::kReservedBit) require(present, "one with a reserved bit is present");
  if (!walk.translated() || context.mode == PagingMode::kNone) return;
  require(present, "a page is present");
  require((walk.gva - Gva{walk.gpa.value()}) % walk.page_size == 0, "the offset is the same");
  require(walk.gpa.value() >> context.physical_bits == 0, "higher address bits are reserved");
}

// Requires that the list says of an address what a walk does.
void check_address(const PagingContext& context, const PhysicalReader& read, Gva gva,
                   const MappedRanges& map) {
  const PageWalk walk = walk_pages(context, gva, read);
  check_walk(context, walk);
  const auto next = std::ranges::upper_bound(map.ranges, gva, {}, &MappedRange::gva);
  const auto range = next == map.ranges.begin() ? map.ranges.end() : std::prev(next);
  if (range == map.ranges.end() || range->last() < gva) {
    require(map.truncated || !walk.translated(), "what is translated is in the list");
    const bool is_broken = walk.end == WalkEnd::kReservedBit || walk.end == WalkEnd::kOutsideMemory;
    require(map.truncated || !is_broken || !map.broken.empty(), "what is broken is in the list");
    return;
  }
  require(walk.translated(), "what is in the list is translated");
  require(walk.gpa == range->gpa + (gva - range->gva), "to the same address");
  require(walk.flags == range->flags, "with the same flags");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const PagingContext context = fuzz::paging_context(input);
  const Gva anywhere{fuzz::number(input)};
  const auto most_entries = input.ConsumeIntegralInRange<std::size_t>(0, 2048);
  const std::vector<std::uint8_t> memory = fuzz::page_tables(input);
  const PhysicalReader read = [&](Gpa gpa, unsigned count) -> std::optional<std::uint64_t> {
    require(count == 4 || count == 8, "an entry has 4 or 8 bytes");
    if (gpa.value() > memory.size() - count) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, memory.data() + gpa.value(), count);
    return value;
  };

  const MappedRanges map = mapped_ranges(context, read, most_entries);
  fuzz::require_lines(to_string(map));
  require(map.ranges.size() <= std::max<std::size_t>(most_entries, 1),
          "no more than was to be read");
  fuzz::require_lines(to_string(walk_pages(context, anywhere, read)));
  check_address(context, read, anywhere, map);
  const MappedRange* before = nullptr;
  for (const MappedRange& range : map.ranges) {
    require(range.size != 0 && range.gva <= range.last(), "a range has addresses");
    if (before != nullptr) {
      require(before->last() < range.gva, "ranges are in order");
      require(before->last() + 1 != range.gva || before->gpa + before->size != range.gpa ||
                  before->flags != range.flags,
              "what is alike is one range");
    }
    before = &range;
    for (const Gva each : {range.gva, range.last(), range.gva - 1, range.last() + 1}) {
      check_address(context, read, each, map);
    }
  }
  for (const PageWalk& walk : map.broken) {
    require(!walk.translated(), "what is broken is not translated");
    fuzz::require_lines(to_string(walk));
    check_walk(context, walk);
  }
  return 0;
}
