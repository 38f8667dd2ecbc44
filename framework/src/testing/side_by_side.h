#pragma once

#include <string>
#include <vector>

#include <hltest/x86/descriptor.h>
#include <hltest/x86/mapped_ranges.h>

/// How a mismatch shows what was expected beside what there was.
namespace hltest::internal {

/// One property of both sides.
struct Row {
  std::string name;
  std::string expected;
  std::string actual;
};

/// Both sides in columns, what differs marked.
std::string side_by_side(const std::vector<Row>& rows);
std::string side_by_side(const Descriptor& expected, const Descriptor& actual);

/// The lines of both maps, what is on one side only marked.
std::string marked_differences(const std::vector<MappedRange>& expected,
                               const MappedRanges& actual);

}  // namespace hltest::internal
