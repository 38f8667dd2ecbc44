#include <hltest/x86/address.h>

#include <fmt/format.h>

#include <ostream>

namespace hltest {

std::string to_string(Gpa address) { return fmt::format("{:#x}", address.value()); }
std::string to_string(Gva address) { return fmt::format("{:#x}", address.value()); }

std::ostream& operator<<(std::ostream& stream, Gpa address) { return stream << to_string(address); }
std::ostream& operator<<(std::ostream& stream, Gva address) { return stream << to_string(address); }

}  // namespace hltest
