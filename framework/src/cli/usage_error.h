#pragma once

#include <stdexcept>

namespace hltest::cli {

/// What the user gave can't be used; the message is the one line that stderr gets.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace hltest::cli
