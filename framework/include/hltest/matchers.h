#pragma once

#include <gmock/gmock.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/exceptions.h>
#include <hltest/memory.h>
#include <hltest/outcome.h>

/// What a test says about an outcome: `EXPECT_THAT(outcome, Halted())`. They compose with gmock's
/// own: `AllOf(Halted(), Wrote(kCom1, "ok"))`, `Not(TimedOut())`.
namespace hltest {

using OutcomeMatcher = ::testing::Matcher<const Outcome&>;
using MemoryMatcher = ::testing::Matcher<const GuestMemory&>;

/// The guest came to a HLT of its own, at any privilege level.
OutcomeMatcher Halted();

/// An exception reached the framework's handlers: `Raised(PageFault{.address = Gva{0x400000}})`, or
/// the trap of an INT3, INTO or INT1: `Raised(Breakpoint())`.
OutcomeMatcher Raised(const ExceptionPattern& exception);
/// Any exception or interrupt with this vector, which may be INT n's too.
OutcomeMatcher Raised(Vector vector);

/// INT n with this number reached the framework's handlers: `CalledInterrupt(0x21)`.
OutcomeMatcher CalledInterrupt(std::uint8_t number);

/// A guest that started at CPL 3 executed SYSCALL or SYSENTER.
OutcomeMatcher MadeSystemCall();

/// The processor shut down.
OutcomeMatcher TripleFaulted();

/// The guest was still running at the deadline.
OutcomeMatcher TimedOut();

/// The guest went to execute where there is no memory.
OutcomeMatcher FetchedUnbackedMemory();

/// The guest met an instruction that this host's KVM can't execute, though the guest may be right
/// to use it; see HLTEST_SKIP_AT_HOST_LIMIT.
OutcomeMatcher HitHostLimit();

/// A condition was met: `stop_after_writes`, `stop_on_write` or `GuestView::stop`.
OutcomeMatcher MetStopCondition();

/// All that OUT gave `port`, as text, is this: `Wrote(kCom1, "4\\")`.
OutcomeMatcher Wrote(Port port, std::string_view text);
/// It matches this.
OutcomeMatcher WroteMatching(Port port, const ::testing::Matcher<std::string>& text);
/// The same: `Wrote(kCom1, HasSubstr("ready"))`.
template <typename Matcher>
requires(!std::convertible_to<Matcher, std::string_view>) OutcomeMatcher
    Wrote(Port port, const Matcher& text) {
  return WroteMatching(port, ::testing::SafeMatcherCast<std::string>(text));
}

/// The values that OUT gave `port`, whatever their width: `WroteValues(0xFF, ElementsAre(0, 1,
/// 2))`.
OutcomeMatcher WroteValues(Port port, const ::testing::Matcher<std::vector<std::uint32_t>>& values);

/// The bytes of guest memory from `gpa` on; a mismatch prints both sides as a hexdump.
/// `EXPECT_THAT(memory(), HasBytes(Gpa{0x2000}, {0x55, 0xAA}))`.
MemoryMatcher HasBytes(Gpa gpa, std::vector<std::uint8_t> bytes);
/// The same for text; no NUL is required after it.
MemoryMatcher HasText(Gpa gpa, std::string_view text);

}  // namespace hltest
