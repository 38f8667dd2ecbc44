#include "testing/hexdump.h"
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace {

using namespace hltest;
using internal::hexdump;
using internal::hexdump_comparison;

TEST(HexdumpTest, RowsOfSixteenWithText) {
  std::vector<std::uint8_t> bytes(18, 'A');
  bytes[1] = 0x00;
  EXPECT_EQ(hexdump(Gpa{0x1000}, bytes),
            "0x00001000  41 00 41 41 41 41 41 41 41 41 41 41 41 41 41 41  A.AAAAAAAAAAAAAA\n"
            "0x00001010  41 41                                            AA\n");
}

TEST(HexdumpTest, ComparisonMarksDifferingBytesOnBothSides) {
  const std::vector<std::uint8_t> expected = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                              12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
  std::vector<std::uint8_t> actual = expected;
  actual[17] = 0xEE;
  EXPECT_EQ(hexdump_comparison(Gpa{0x2000}, expected, actual),
            "address      expected                          actual\n"
            "0x00002008   08  09  0a  0b  0c  0d  0e  0f | 08  09  0a  0b  0c  0d  0e  0f \n"
            "0x00002010   10 [11] 12  13  14  15  16  17 | 10 [ee] 12  13  14  15  16  17 \n");
}

TEST(HexdumpTest, ComparisonOfUnequalLengths) {
  EXPECT_EQ(
      hexdump_comparison(Gpa{0}, std::vector<std::uint8_t>{1, 2}, std::vector<std::uint8_t>{1}),
      "address      expected                          actual\n"
      "0x00000000   01 [02]                        | 01                             \n");
}

TEST(HexdumpTest, LinesFitEightyColumnsAndEnd) {
  const std::vector<std::uint8_t> expected(4096, 0);
  const std::vector<std::uint8_t> actual(4096, 1);
  std::istringstream lines{hexdump_comparison(Gpa{0xF0000000}, expected, actual)};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U);
  EXPECT_EQ(count, 34);
}

}  // namespace
