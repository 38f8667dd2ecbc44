// The header's version is the one that CMake builds and installs.
#include <gtest/gtest.h>
#include <hltest/version.h>

namespace {

TEST(VersionTest, HeaderAndCMakeAgree) {
  EXPECT_STREQ(HLTEST_VERSION, CMAKE_VERSION_OF_HLTEST);
  EXPECT_EQ(HLTEST_VERSION_MAJOR, CMAKE_MAJOR);
  EXPECT_EQ(HLTEST_VERSION_MINOR, CMAKE_MINOR);
  EXPECT_EQ(HLTEST_VERSION_PATCH, CMAKE_PATCH);
}

}  // namespace
