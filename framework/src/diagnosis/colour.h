#pragma once

namespace hltest::internal {

/// True when `fd` is a terminal that takes colours: not a dumb one, and NO_COLOR is not set
/// (no-color.org).
bool takes_colour(int fd);

}  // namespace hltest::internal
