#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/access.h>
#include <hltest/disk_transfer.h>
#include <hltest/matchers.h>

namespace hltest {

/// Row `row` of the screen, counted from 0, is this text: `ShowsText(0, "Hello")`. A mismatch
/// prints the screen.
OutcomeMatcher ShowsText(unsigned row, std::string_view text);
/// Row `row` matches this.
OutcomeMatcher ShowsTextMatching(unsigned row, const ::testing::Matcher<std::string>& text);
/// The same: `ShowsText(3, HasSubstr("ready"))`.
template <typename Matcher>
requires(!std::convertible_to<Matcher, std::string_view>) OutcomeMatcher
    ShowsText(unsigned row, const Matcher& text) {
  return ShowsTextMatching(row, ::testing::SafeMatcherCast<std::string>(text));
}

/// The console (`Outcome::console`) is this text.
OutcomeMatcher Printed(std::string_view text);
/// The console matches this.
OutcomeMatcher PrintedMatching(const ::testing::Matcher<std::string>& text);
/// The same: `Printed(HasSubstr("Loading"))`.
template <typename Matcher>
requires(!std::convertible_to<Matcher, std::string_view>) OutcomeMatcher
    Printed(const Matcher& text) {
  return PrintedMatching(::testing::SafeMatcherCast<std::string>(text));
}

/// All that the serial ports transmitted is this text.
OutcomeMatcher SentOnSerial(std::string_view text);

/// A service answered INT `number` with this in AH: `CalledBios(0x13, 0x42)`.
OutcomeMatcher CalledBios(std::uint8_t number, std::uint8_t ah);

/// INT 13h read these sectors, in this order and no others; of an expected one, `memory` may be
/// left out: `ReadSectors({{.lba = 1, .count = 4, .memory = Gpa{0x8000}}})`.
OutcomeMatcher ReadSectors(std::vector<DiskTransfer> transfers);
/// INT 13h wrote these.
OutcomeMatcher WroteSectors(std::vector<DiskTransfer> transfers);

/// An OUT or an IN as `Accessed` expects it.
struct PortPattern {
  Direction direction = Direction::kWrite;
  Port port = 0;
  std::optional<std::uint64_t> value = std::nullopt;  ///< any, if none is given
};
PortPattern Out(Port port);
PortPattern Out(Port port, std::uint64_t value);
PortPattern In(Port port);

/// The guest accessed these ports in this order, others before, between and after them:
/// `Accessed(Out(0x20, 0x11), Out(0xA0, 0x11), In(0x64))`.
OutcomeMatcher AccessedInOrder(std::vector<PortPattern> patterns);
template <typename... Pattern>
OutcomeMatcher Accessed(const Pattern&... patterns) {
  return AccessedInOrder({patterns...});
}

/// The guest came to a HLT at `segment`:`offset`, where a test has put one in place of the next
/// stage.
OutcomeMatcher JumpedTo(std::uint16_t segment, std::uint16_t offset);

}  // namespace hltest
