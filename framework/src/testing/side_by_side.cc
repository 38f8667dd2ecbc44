#include "testing/side_by_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace hltest::internal {

std::string side_by_side(const std::vector<Row>& rows) {
  std::string text = fmt::format("  {:<12}{:<26}{}\n", "", "expected", "actual");
  for (const Row& row : rows) {
    fmt::format_to(std::back_inserter(text), "{} {:<12}{:<26}{}\n",
                   row.expected == row.actual ? ' ' : '*', row.name, row.expected, row.actual);
  }
  return text;
}

std::string side_by_side(const Descriptor& expected, const Descriptor& actual) {
  const std::vector<DescriptorField> left = describe_fields(expected);
  const std::vector<DescriptorField> right = describe_fields(actual);
  std::vector<Row> rows;
  rows.reserve(left.size() + right.size());
  const auto value_in = [](const std::vector<DescriptorField>& fields, const std::string& name) {
    const auto found = std::ranges::find(fields, name, &DescriptorField::name);
    return found != fields.end() ? found->value : std::string{"-"};
  };
  for (const DescriptorField& field : left) {
    rows.push_back({field.name, field.value, value_in(right, field.name)});
  }
  for (const DescriptorField& field : right) {
    if (value_in(left, field.name) == "-") rows.push_back({field.name, "-", field.value});
  }
  return side_by_side(rows);
}

std::string marked_differences(const std::vector<MappedRange>& expected,
                               const MappedRanges& actual) {
  std::vector<std::pair<MappedRange, char>> lines;
  lines.reserve(expected.size() + actual.ranges.size());
  const auto has = [](const std::vector<MappedRange>& ranges, const MappedRange& range) {
    return std::ranges::find(ranges, range) != ranges.end();
  };
  for (const MappedRange& range : expected) {
    lines.emplace_back(range, has(actual.ranges, range) ? ' ' : '-');
  }
  for (const MappedRange& range : actual.ranges) {
    if (!has(expected, range)) lines.emplace_back(range, '+');
  }
  std::ranges::stable_sort(lines, {}, [](const auto& line) { return line.first.gva; });
  constexpr std::size_t kMostLines = 200;
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) {
    text += fmt::format("{} {}\n", lines[i].second, to_string(lines[i].first));
  }
  const std::string rest =
      to_string(MappedRanges{.broken = actual.broken, .truncated = actual.truncated});
  return text + (lines.size() > kMostLines ? "  ...\n" : "") + rest;
}

}  // namespace hltest::internal
