// Accesses to addresses without memory go over a bus like the ports'.
#include <hltest/hltest.h>

#include <stdexcept>

#include "guests/protected_mode.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Gpa kDevice{0xE0000000};

Access access(Direction direction, std::uint64_t offset, std::uint8_t size, std::uint64_t value,
              bool handled) {
  return {.space = Space::kMmio,
          .direction = direction,
          .size = size,
          .answered = handled,
          .address = (kDevice + offset).value(),
          .value = value};
}

Access read(std::uint64_t offset, std::uint8_t size, std::uint64_t value, bool handled) {
  return access(Direction::kRead, offset, size, value, handled);
}

Access write(std::uint64_t offset, std::uint8_t size, std::uint64_t value, bool handled) {
  return access(Direction::kWrite, offset, size, value, handled);
}

TEST_F(ProtectedModeTest, UnhandledMmioIsInTheLog) {
  const Outcome outcome = run(guests::mmio);

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.eax(), 0xFFFF'FFFFU);
  EXPECT_EQ(outcome.registers.cl(), 0xFF);
  EXPECT_THAT(outcome.mmio,
              ElementsAre(read(0, 4, 0xFFFF'FFFF, false), write(4, 4, 0x12345678, false),
                          read(8, 1, 0xFF, false), write(12, 1, 0x9A, false)));
  EXPECT_EQ(to_string(outcome.mmio[0]), "read 0xe0000000, 4 bytes: 0xffffffff (nothing there)");
  EXPECT_EQ(to_string(outcome.accesses[1]),
            "write 0xe0000004, 4 bytes: 0x12345678 (nothing there)");
}

TEST_F(ProtectedModeTest, HandlersAnswerByAddressRange) {
  std::vector<std::uint64_t> written;
  machine().mmio().attach(kDevice, 8,
                          {.read = [](const Access&) { return 0xC0FFEEULL; },
                           .write = [&](const Access& asked) { written.push_back(asked.value); }});
  machine().mmio().attach(kDevice + 8, 4,
                          {.read = [](const Access& asked) { return asked.address | 0x5A; }});

  const Outcome outcome = run(guests::mmio);

  EXPECT_EQ(outcome.registers.eax(), 0xC0FFEEU);
  EXPECT_EQ(outcome.registers.cl(), 0x5A) << "cut to the width of the read";
  EXPECT_THAT(written, ElementsAre(0x12345678));
  EXPECT_THAT(outcome.mmio, ElementsAre(read(0, 4, 0xC0FFEE, true), write(4, 4, 0x12345678, true),
                                        read(8, 1, 0x5A, true), write(12, 1, 0x9A, false)));
}

TEST(MmioScriptsTest, OverlapsAndEmptyRangesAreErrors) {
  Machine machine{CpuMode::kProtected32};
  MmioScripts& bus = machine.mmio();
  bus.attach(Gpa{0x1000}, 0x1000, {});
  try {
    bus.attach(Gpa{0x1FFF}, 1, {});
    FAIL() << "an overlap";
  } catch (const SetupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("MMIO 0x1fff overlaps the one at MMIO 0x1000-0x1fff"));
  }
  EXPECT_THROW(bus.attach(Gpa{0x9000}, 0, {}), SetupError);
  EXPECT_THROW(bus.attach(Gpa{~0ULL}, 2, {}), SetupError);
  bus.attach(Gpa{0x2000}, 0x1000, {});
}

TEST_F(ProtectedModeTest, AHandlerInMemoryIsAnError) {
  machine().mmio().attach(Gpa{0x100000}, 0x1000, {});
  try {
    (void)run(guests::mmio);
    FAIL() << "the handler would never be asked";
  } catch (const SetupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("0x100000-0x100fff would never be asked"));
  }
}

// The framework's tables are read-only for a real-mode guest, as a BIOS ROM is.
TEST_F(RealModeTest, RomCannotBeWritten) {
  // mov ax, 0xF000; mov ds, ax; mov byte [0], 0; hlt
  const Outcome outcome =
      run(RealModeImage{"write_rom", {0xB8, 0x00, 0xF0, 0x8E, 0xD8, 0xC6, 0x06, 0, 0, 0, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  ASSERT_EQ(outcome.mmio.size(), 1U);
  EXPECT_EQ(outcome.mmio[0].gpa(), kRomRegion);
  EXPECT_EQ(memory().read<std::uint8_t>(kRomRegion), 0xF4);
}

}  // namespace
