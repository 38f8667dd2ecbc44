// The last place where an image, its entry and the page tables can be, and the first where they
// can't.
#include <hltest/hltest.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

const std::vector<std::uint8_t> kHlt{0xF4};

// A HLT, and NOPs after it.
std::vector<std::uint8_t> code_of(std::uint64_t size) {
  std::vector<std::uint8_t> code(size, 0x90);
  code.front() = 0xF4;
  return code;
}

TEST_F(ProtectedModeTest, AnImageCanFillTheMemory) {
  machine().set_memory_size(64 * kKiB);
  EXPECT_THAT(run(ProtectedModeImage{"all", code_of(64 * kKiB), Gpa{0}}), Halted());
  EXPECT_THAT(run(ProtectedModeImage{"last", kHlt, Gpa{0xFFFF}}), Halted());
  EXPECT_THROW((void)run(ProtectedModeImage{"all", code_of(64 * kKiB + 1), Gpa{0}}), SetupError);
  EXPECT_THROW((void)run(ProtectedModeImage{"beyond", kHlt, Gpa{0x10000}}), SetupError);
}

TEST_F(RealModeTest, AnImageCanReachToTheRom) {
  const std::uint64_t size = kRomRegion - kLoadAddress;
  EXPECT_THAT(run(RealModeImage{"all", code_of(size)}), Halted());
  EXPECT_THAT(message_of<SetupError>([&] {
                (void)run(RealModeImage{"x", code_of(size + 1)});
              }),
              HasSubstr("is in the way: the framework keeps its own tables"));
  EXPECT_THAT(message_of<SetupError>([&] {
                (void)run(RealModeImage{"x", kHlt, kRomRegion + (kRomFreeOffset - 1)});
              }),
              HasSubstr("is in the way"));
  EXPECT_THAT(run(RealModeImage{"rom", kHlt, kRomRegion + kRomFreeOffset}), Halted());
}

TEST_F(RealModeTest, AnEntryFrom64KiBTo1MiBIsReachedByCs) {
  struct Reached {
    std::uint64_t entry;
    std::uint16_t cs;
    std::uint16_t ip;
  };
  for (const auto& [entry, cs, ip] :
       {Reached{0xFFFF, 0, 0xFFFF}, Reached{0x10000, 0x1000, 0}, Reached{0xFFFFF, 0xFFFF, 0xF}}) {
    const Outcome outcome = run(RealModeImage{"halt", kHlt, Gpa{entry}});
    ASSERT_THAT(outcome, Halted()) << std::hex << entry;
    EXPECT_EQ(outcome.registers.cs.selector, cs) << std::hex << entry;
    EXPECT_EQ(outcome.stop_address(), Gva{entry});
    EXPECT_EQ(outcome.registers.ip(), static_cast<std::uint16_t>(ip + 1));
  }
  EXPECT_THAT(message_of<SetupError>([&] {
                (void)run(RealModeImage{"halt", kHlt, Gpa{0x10'0000}});
              }),
              HasSubstr("the entry 0x100000 of halt is not within CS"));
}

TEST_F(ProtectedModeTest, AnEntryIsWithinTheLimitOfCs) {
  machine().registers().cs->granularity = false;
  machine().registers().cs->limit = 0x1000;
  const ProtectedModeImage image{"halt", kHlt};
  EXPECT_THAT(run(image), Halted());
  machine().registers().cs->limit = 0xFFF;
  EXPECT_THAT(message_of<SetupError>([&] { (void)run(image); }), HasSubstr("is not within CS"));
}

TEST_F(ProtectedModeTest, AnEntryIsNotBelowTheBaseOfCs) {
  machine().registers().cs->base = Gva{0x1000};
  EXPECT_THAT(run(ProtectedModeImage{"halt", kHlt}), Halted());
  machine().registers().cs->base = Gva{0x1001};
  EXPECT_THAT(message_of<SetupError>([&] {
                (void)run(ProtectedModeImage{"halt", kHlt});
              }),
              HasSubstr("is not within CS"));
}

TEST_F(LongModeTest, AnEntryCanBeAnyByteOfAMappingOfTheTests) {
  constexpr Gva kWindow{0x4000'0000};
  machine().map({.gva = kWindow, .gpa = Gpa{0x20'0000}});
  memory().fill(Gpa{0x20'0000}, 4 * kKiB, 0xF4);
  const LongModeImage image{"halt", kHlt};
  EXPECT_THAT(run(image.entered_at(kWindow)), Halted());
  EXPECT_THAT(run(image.entered_at(kWindow + 0xFFF)), Halted());
  EXPECT_THROW((void)run(image.entered_at(kWindow + 0x1000)), SetupError);
  EXPECT_THROW((void)run(image.entered_at(kWindow - 1)), SetupError);
}

TEST_F(LongModeTest, TheTaskPriorityIs0To15) {
  machine().registers().cr8 = 15;
  EXPECT_EQ(run(LongModeImage{"halt", kHlt}).registers.cr8, 15U);
  machine().registers().cr8 = 16;
  EXPECT_EQ(message_of<SetupError>([&] {
              (void)run(LongModeImage{"halt", kHlt});
            }),
            "cr8 = 0x10: the task priority is 0 to 15");
}

TEST_F(LongModeTest, AnImageCanBeRightBeforeAndRightAfterThePageTables) {
  constexpr Gpa kFirst{0x20'0000};
  const LongModeImage halt{"halt", kHlt};
  machine().set_page_tables_at(kFirst);
  ASSERT_THAT(run(halt), Halted());
  Gpa end = kFirst;
  while (memory().read_bytes(end, 4 * kKiB) != std::vector<std::uint8_t>(4 * kKiB)) {
    end = end + 4 * kKiB;
  }
  ASSERT_GT(end, kFirst);
  EXPECT_THAT(run(halt.loaded_at(kFirst - 1)), Halted());
  EXPECT_THAT(run(halt.loaded_at(end)), Halted());
  for (const Gpa inside : {kFirst, end - 1}) {
    EXPECT_THAT(message_of<PagingError>([&] { (void)run(halt.loaded_at(inside)); }),
                HasSubstr("would lie over the image"));
  }
  EXPECT_THROW((void)run(LongModeImage{"two", {0xF4, 0xF4}, kFirst - 1}), PagingError);
}

TEST_F(LongModeTest, PageTablesCanEndWithTheMemory) {
  const LongModeImage halt{"halt", kHlt};
  const auto is_refused = [&](std::uint64_t pages) {
    machine().set_page_tables_at(Gpa{16 * kMiB - pages * 4 * kKiB});
    return message_of<PagingError>([&] { (void)run(halt); }) != "(nothing was thrown)";
  };
  std::uint64_t pages = 1;
  while (is_refused(pages)) ++pages;
  // The identity map of RAM and of the system region: a PML4, a PDPT and two PDs.
  EXPECT_EQ(pages, 4U);
  EXPECT_THAT(run(halt), Halted());
  machine().set_page_tables_at(Gpa{16 * kMiB});
  EXPECT_THAT(message_of<PagingError>([&] { (void)run(halt); }),
              HasSubstr("the page tables (from 0x1000000) do not fit in the guest's memory"));
  EXPECT_EQ(message_of<PagingError>([&] { machine().set_page_tables_at(Gpa{0x20'0800}); }),
            "page tables at 0x200800: a table is at a multiple of 4 KiB");
}

TEST_F(LongModeTest, TheLastPhysicalPageCanBeMapped) {
  constexpr std::uint64_t kEnd = 1ULL << 52U;
  EXPECT_NO_THROW(machine().map({.gva = Gva{0x4000'0000}, .gpa = Gpa{kEnd - 0x1000}}));
  EXPECT_THROW(machine().map({.gva = Gva{0x5000'0000}, .gpa = Gpa{kEnd}}), PagingError);
}

TEST_F(RealModeTest, AnImageOverTheIvtsLastByteMovesTheIvt) {
  const RealModeImage undefined{"ud2", {0x0F, 0x0B}};
  EXPECT_EQ(run(undefined.loaded_at(Gpa{0x400})).registers.idt.base, Gva{0});
  EXPECT_THAT(run(undefined.loaded_at(Gpa{0x400})), Raised(InvalidOpcode()));
  const Outcome over = run(undefined.loaded_at(Gpa{0x3FF}));
  EXPECT_THAT(over, Raised(InvalidOpcode()));
  EXPECT_EQ(over.registers.idt.base, Gva{(kRomRegion + kIdtOffset).value()});
}

TEST(TimeoutLimitsTest, ATimeoutIs1MillisecondTo24Hours) {
  Machine machine{CpuMode::kReal16};
  EXPECT_NO_THROW(machine.set_timeout(std::chrono::hours{24}));
  EXPECT_NO_THROW(machine.set_timeout(std::chrono::milliseconds{1}));
  EXPECT_EQ(message_of<SetupError>(
                [&] { machine.set_timeout(std::chrono::milliseconds{24 * 3600 * 1000 + 1}); }),
            "a timeout of 86400001 ms: it can be 1 ms to 24 hours (86400000 ms)");
  EXPECT_THROW(machine.set_timeout(std::chrono::milliseconds{0}), SetupError);
  EXPECT_THROW(machine.set_timeout(std::chrono::milliseconds{-1}), SetupError);
}

}  // namespace
