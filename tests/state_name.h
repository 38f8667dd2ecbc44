#pragma once

#include <gtest/gtest.h>
#include <hltest/hostile_bios.h>

#include <cctype>
#include <string>

/// The name of a test in a state that a BIOS leaves.
inline std::string state_name(const testing::TestParamInfo<hltest::BiosState>& test) {
  std::string name;
  for (const char c : test.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}
