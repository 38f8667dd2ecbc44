#include <hltest/x86/mapped_ranges.h>

#include <fmt/format.h>

#include <iterator>

namespace hltest {
namespace {

constexpr std::size_t kMostBroken = 64;
constexpr std::size_t kMostRanges = 1U << 16U;

// A range's flags are the permissions of all levels and the caching of the last. A and D are not
// compared.
class Reader {
 public:
  Reader(const PagingContext& context, const PhysicalReader& read, std::size_t most_entries)
      : context_(context),
        format_(paging_format(context.mode)),
        read_(read),
        entries_left_(most_entries) {}

  MappedRanges read_all() {
    const PageWalk first = walk_pages(context_, Gva{0}, read_);
    if (first.steps.empty()) {  // not even the first table can be read
      map_.broken.push_back(first);
      return std::move(map_);
    }
    read_table(Gva{0}, format_.levels - 1);
    return std::move(map_);
  }

 private:
  // Walks to each entry of one table from the top, so that only walk_pages interprets entries.
  void read_table(Gva start, unsigned level) {
    for (unsigned index = 0; index < format_.entries(level); ++index) {
      if (entries_left_ == 0 || map_.ranges.size() == kMostRanges) {
        map_.truncated = true;
        return;
      }
      --entries_left_;
      const Gva gva = format_.canonical((start + index * format_.covered(level)).value());
      const PageWalk walk = walk_to(gva, level);
      if (walk.translated()) {
        add({.gva = gva, .gpa = walk.gpa, .size = walk.page_size, .flags = walk.flags});
      } else if (descends(walk, level)) {
        read_table(gva, level - 1);
        if (map_.truncated) return;
      } else if (is_broken(walk, level)) {
        if (map_.broken.size() == kMostBroken) {
          map_.truncated = true;
          return;
        }
        map_.broken.push_back(walk);
      }
    }
  }

  // The walk of the first address that an entry covers, if it goes through the entry at all.
  [[nodiscard]] PageWalk walk_to(Gva gva, unsigned level) const {
    PageWalk walk = walk_pages(context_, gva, read_);
    if (walk.translated() && walk.steps.back().level != level) walk.end = WalkEnd::kNotPresent;
    return walk;
  }

  // Whether the entry at `level` points to a table that can be read.
  static bool descends(const PageWalk& walk, unsigned level) {
    return level > 0 && !walk.steps.empty() && walk.steps.back().level < level;
  }

  static bool is_broken(const PageWalk& walk, unsigned level) {
    const bool reached = !walk.steps.empty() && walk.steps.back().level == level;
    return walk.end == WalkEnd::kOutsideMemory ? (reached || walk.steps.empty())
                                               : reached && walk.end == WalkEnd::kReservedBit;
  }

  void add(const MappedRange& page) {
    if (!map_.ranges.empty()) {
      MappedRange& last = map_.ranges.back();
      if (last.gva + last.size == page.gva && last.gpa + last.size == page.gpa &&
          last.flags == page.flags) {
        last.size += page.size;
        return;
      }
    }
    map_.ranges.push_back(page);
  }

  const PagingContext& context_;
  PagingFormat format_;
  const PhysicalReader& read_;
  MappedRanges map_;
  std::size_t entries_left_;
};

}  // namespace

MappedRanges mapped_ranges(const PagingContext& context, const PhysicalReader& read,
                           std::size_t most_entries) {
  if (context.mode == PagingMode::kNone) {
    return {.ranges = {{.size = 1ULL << 32U, .flags = kReadWrite | kUser}}};
  }
  return Reader{context, read, most_entries}.read_all();
}

std::string to_string(const MappedRange& range) {
  return fmt::format("{:#018x}-{:#018x} -> {} {}", range.gva.value(), range.last().value(),
                     to_string(range.gpa), to_string(range.flags));
}

std::string to_string(const MappedRanges& map) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (const MappedRange& range : map.ranges) {
    fmt::format_to(out, "{}\n", to_string(range));
  }
  for (const PageWalk& walk : map.broken) {
    fmt::format_to(out, "{:#018x}: {}", walk.gva.value(), to_string(walk.end));
    if (!walk.steps.empty()) {
      const WalkStep& last = walk.steps.back();
      fmt::format_to(out, " ({} at {}: {:#x})", entry_name(last.level),
                     to_string(last.entry_address), last.entry);
    }
    text += '\n';
  }
  if (map.truncated) {
    fmt::format_to(out, "... not all entries were read\n");
  }
  return text;
}

}  // namespace hltest
