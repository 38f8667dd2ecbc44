#include <hltest/table_matchers.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <hltest/error.h>
#include <hltest/x86/descriptor_table.h>

#include "testing/described.h"
#include "testing/side_by_side.h"

namespace hltest {
namespace {

using internal::described;
using internal::marked_differences;
using internal::Row;
using internal::side_by_side;

using Listener = ::testing::MatchResultListener;

// How many walks one matcher makes: tables that share tables can have no end.
constexpr unsigned kMostWalks = 1U << 18U;

// How much is not mapped either, after the address of a walk that found nothing.
std::uint64_t left_unmapped(const PageWalk& walk) {
  const PagingFormat format = paging_format(walk.mode);
  if (walk.end == WalkEnd::kNotAnAddress) {
    const std::uint64_t next = format.linear_bits == 32 ? 0 : ~0ULL << (format.linear_bits - 1);
    return next - walk.gva.value();
  }
  const unsigned level = walk.steps.empty() ? format.levels - 1 : walk.steps.back().level;
  return format.covered(level) - walk.gva.value() % format.covered(level);
}

// An empty range would match anything.
void check_range(const char* matcher, Gva gva, std::uint64_t size) {
  if (size != 0 && gva + (size - 1) >= gva) return;
  throw SetupError(fmt::format("{}: {} bytes from {} on are no range of addresses", matcher, size,
                               to_string(gva)));
}

bool maps_alike(const PageWalk& walk, const PageMapping& mapping) {
  return walk.translated() && walk.gpa == mapping.gpa + (walk.gva - mapping.gva) &&
         walk.flags == mapping.flags &&
         (mapping.page_size == PageSize::kLargest ||
          walk.page_size == static_cast<std::uint64_t>(mapping.page_size));
}

void explain_walk(const PageWalk& walk, const PageMapping& mapping, Listener* listener) {
  *listener << "where " << to_string(walk.gva);
  if (!walk.translated()) {
    *listener << " is not mapped: " << to_string(walk.end) << "\n" << to_string(walk);
    return;
  }
  const Gpa expected = mapping.gpa + (walk.gva - mapping.gva);
  std::vector<Row> rows = {{"address", to_string(expected), to_string(walk.gpa)},
                           {"flags", to_string(mapping.flags), to_string(walk.flags)}};
  if (mapping.page_size != PageSize::kLargest) {
    rows.push_back({"page", size_name(static_cast<std::uint64_t>(mapping.page_size)),
                    size_name(walk.page_size)});
  }
  *listener << " differs:\n" << side_by_side(rows) << to_string(walk);
}

bool matches_mapping(const GuestTables& tables, const PageMapping& mapping, Listener* listener) {
  unsigned walks = 0;
  for (std::uint64_t done = 0; done < mapping.size; ++walks) {
    const PageWalk walk = tables.walk(mapping.gva + done);
    if (!maps_alike(walk, mapping)) {
      explain_walk(walk, mapping, listener);
      return false;
    }
    const std::uint64_t left = walk.page_size - walk.gva.value() % walk.page_size;
    if (left >= mapping.size - done) return true;
    if (walks == kMostWalks) {
      *listener << "which has more pages than are looked at: ask for less at once";
      return false;
    }
    done += left;
  }
  return true;
}

bool is_unmapped(const GuestTables& tables, GvaRange range, Listener* listener) {
  unsigned walks = 0;
  for (std::uint64_t done = 0; done < range.size; ++walks) {
    const PageWalk walk = tables.walk(range.gva + done);
    if (walk.translated()) {
      *listener << "where " << to_string(walk.gva) << " is mapped\n" << to_string(walk);
      return false;
    }
    const std::uint64_t left = left_unmapped(walk);
    if (left >= range.size - done) return true;
    if (walks == kMostWalks) {
      *listener << "which has more entries than are looked at: ask for less at once";
      return false;
    }
    done += left;
  }
  return true;
}

bool matches_entry(const std::optional<Descriptor>& actual, const Descriptor& expected,
                   const std::string& missing, Listener* listener) {
  if (!actual.has_value()) {
    *listener << missing;
    return false;
  }
  if (*actual == expected) return true;
  *listener << "which differs:\n" << side_by_side(expected, *actual);
  return false;
}

std::string describe_limit(std::uint16_t limit) {
  const unsigned bytes = limit + 1U;
  if (bytes % 8 != 0) {
    return fmt::format("limit {:#x} ({} bytes: {} entries of 8, and {} more)", limit, bytes,
                       bytes / 8, bytes % 8);
  }
  return fmt::format("limit {:#x} ({} bytes: {} entries of 8{})", limit, bytes, bytes / 8,
                     bytes % 16 == 0 ? fmt::format(", or {} of 16", bytes / 16) : "");
}

}  // namespace

TablesMatcher Maps(Gva gva, Gpa gpa, PageFlags flags) {
  return Maps(PageMapping{.gva = gva, .gpa = gpa, .size = 1, .flags = flags});
}

TablesMatcher Maps(const PageMapping& mapping) {
  check_range("Maps", mapping.gva, mapping.size);
  const std::string what =
      mapping.size == 1 ? fmt::format("{} -> {}", to_string(mapping.gva), to_string(mapping.gpa))
                        : to_string(mapping);
  return described<GuestTables>(fmt::format("maps {} {}", what, to_string(mapping.flags)),
                                [mapping](const GuestTables& tables, Listener* listener) {
                                  return matches_mapping(tables, mapping, listener);
                                });
}

TablesMatcher MapsExactly(std::vector<MappedRange> ranges) {
  std::string expectation = fmt::format("maps exactly {} ranges", ranges.size());
  std::ranges::stable_sort(ranges, {}, &MappedRange::gva);
  return described<GuestTables>(
      std::move(expectation),
      [ranges = std::move(ranges)](const GuestTables& tables, Listener* listener) {
        const MappedRanges actual = tables.mapped_ranges();
        if (actual.ranges == ranges && actual.broken.empty() && !actual.truncated) return true;
        *listener << "which maps (- is missing, + is not expected):\n"
                  << marked_differences(ranges, actual);
        return false;
      });
}

TablesMatcher Unmapped(GvaRange range) {
  check_range("Unmapped", range.gva, range.size);
  return described<GuestTables>(fmt::format("does not map {}-{}", to_string(range.gva),
                                            to_string(range.gva + (range.size - 1))),
                                [range](const GuestTables& tables, Listener* listener) {
                                  return is_unmapped(tables, range, listener);
                                });
}

TablesMatcher GdtEntry(std::uint16_t selector, const Descriptor& descriptor) {
  const char* const table = is_in_ldt(selector) ? "LDT" : "GDT";
  return described<GuestTables>(
      fmt::format("has in its {} at {:#x} a {}", table, selector, to_string(descriptor)),
      [selector, descriptor, table](const GuestTables& tables, Listener* listener) {
        const Registers& registers = tables.registers();
        const std::uint32_t limit = is_in_ldt(selector) ? registers.ldt.limit : registers.gdt.limit;
        const std::uint64_t last = (selector & ~7U) + 7;
        const std::string missing =
            is_in_ldt(selector) && registers.ldt.unusable ? "which has no LDT"
            : limit < last
                ? fmt::format(
                      "whose {} ends before the entry at {:#x}: its limit is {:#x}, and that "
                      "takes {:#x}",
                      table, selector & ~7U, limit, last)
                : fmt::format("whose {} can't be read: it is not mapped, or not in memory", table);
        return matches_entry(tables.descriptor(selector), descriptor, missing, listener);
      });
}

TablesMatcher IdtGate(Vector vector, const Descriptor& gate) {
  const auto number = static_cast<unsigned>(vector);
  return described<GuestTables>(
      fmt::format("has for vector {:#x} a {}", number, to_string(gate)),
      [vector, gate, number](const GuestTables& tables, Listener* listener) {
        const Registers& registers = tables.registers();
        const unsigned last = (number + 1) * gate_size(registers) - 1;
        const std::string missing =
            registers.idt.limit < last
                ? fmt::format(
                      "whose IDT ends before the gate for vector {:#x}: its limit is {:#x}, "
                      "and that takes {:#x}",
                      number, registers.idt.limit, last)
                : "whose IDT can't be read: it is not mapped, or not in memory";
        return matches_entry(tables.gate(vector), gate, missing, listener);
      });
}

::testing::Matcher<const DescriptorTableRegister&> DescriptorTableLimit(std::uint16_t limit) {
  return described<DescriptorTableRegister>(
      "has " + describe_limit(limit),
      [limit](const DescriptorTableRegister& table, Listener* listener) {
        if (table.limit == limit) return true;
        *listener << "which has " << describe_limit(table.limit);
        return false;
      });
}

}  // namespace hltest
