#pragma once

#include <string>

namespace hltest {

/// True when `fd` is a terminal that takes colours: not a dumb one, and NO_COLOR is not set
/// (no-color.org).
bool takes_colour(int fd);

/// A report with escape sequences: what stopped the guest, the cause and the instruction stand out.
std::string coloured(const std::string& report);

}  // namespace hltest
