#include "testing/mismatch.h"

namespace hltest::internal {

std::optional<Outcome>& mismatch() {
  static thread_local std::optional<Outcome> outcome;
  return outcome;
}

}  // namespace hltest::internal
