#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <string>

/// What EXPECT_THAT(value, matcher) prints when it fails; `(it matches)` when it does not.
template <typename Value, typename Matcher>
std::string message(const Value& value, const Matcher& matcher) {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter{
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results};
    EXPECT_THAT(value, matcher);
  }
  return results.size() == 0 ? "(it matches)" : results.GetTestPartResult(0).message();
}
