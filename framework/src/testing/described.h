#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "testing/mismatch.h"

namespace hltest::internal {

/// A matcher made of a predicate and its words.
template <typename Value>
class Described : public ::testing::MatcherInterface<const Value&> {
 public:
  using Matches = std::function<bool(const Value&, ::testing::MatchResultListener*)>;

  Described(std::string expectation, Matches matches)
      : expectation_(std::move(expectation)), matches_(std::move(matches)) {}

  bool MatchAndExplain(const Value& value,
                       ::testing::MatchResultListener* listener) const override {
    const bool matches = matches_(value, listener);
    if constexpr (std::is_same_v<Value, Outcome>) {
      // GoogleTest asks for an explanation where an expectation fails.
      if (!matches && listener->IsInterested() && !mismatch()) mismatch() = value;
    }
    return matches;
  }
  void DescribeTo(std::ostream* stream) const override { *stream << expectation_; }
  void DescribeNegationTo(std::ostream* stream) const override {
    *stream << "not: " << expectation_;
  }

 private:
  std::string expectation_;
  Matches matches_;
};

/// The matcher, ready for `EXPECT_THAT`.
template <typename Value>
::testing::Matcher<const Value&> described(std::string expectation,
                                           typename Described<Value>::Matches matches) {
  return ::testing::Matcher<const Value&>{
      new Described<Value>{std::move(expectation), std::move(matches)}};
}

}  // namespace hltest::internal
