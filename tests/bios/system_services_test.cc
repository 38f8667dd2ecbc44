// INT 11h, 12h, 14h to 1Ah.
#include "service_harness.h"

namespace hltest::internal {
namespace {

using SystemServicesTest = ServiceTest;

TEST_F(SystemServicesTest, TellTheMachine) {
  EXPECT_EQ(call(0x12, {}).ax(), 639);
  EXPECT_EQ(call(0x11, {}).ax() & 0x30, 0x20) << "80 columns in colour";
  EXPECT_EQ(call(0x11, {}).ax() & 1, 0) << "no floppy";
  EXPECT_EQ(call(0x15, {.rax = 0x8800}).ax(), 15 * 1024) << "KiB from 1 MiB on";
  const Registers sizes = call(0x15, {.rax = 0xE801});
  EXPECT_EQ(sizes.ax(), 15 * 1024);
  EXPECT_EQ(sizes.bx(), 0);
  EXPECT_FALSE(sizes.rflags.cf());
}

TEST_F(SystemServicesTest, TellMoreThan16MiBInUnitsOf64KiB) {
  memory_ = GuestMemory{128 * kMiB, CpuMode::kReal16};
  const Registers sizes = call(0x15, {.rax = 0xE801});
  EXPECT_EQ(sizes.cx(), 15 * 1024);
  EXPECT_EQ(sizes.dx(), 112 * 16);
  EXPECT_EQ(call(0x15, {.rax = 0x8800}).ax(), 0xFFFF) << "what fits";
}

TEST_F(SystemServicesTest, TellTheConfiguration) {
  const Registers after = call(0x15, {.rax = 0xC000});
  EXPECT_FALSE(after.rflags.cf());
  EXPECT_EQ(after.ah(), 0);
  const Gpa table{after.es.base.value() + after.bx()};
  EXPECT_EQ(memory_.read<std::uint16_t>(table), 8) << "bytes follow";
  EXPECT_EQ(memory_.read<std::uint8_t>(table + 2), 0xFC) << "an AT";
  EXPECT_EQ(call(0x15, {.rax = 0xC100}).es.selector, 0x9FC0) << "the EBDA";
}

class MemoryMapTest : public ServiceTest {
 protected:
  Registers ask(std::uint64_t ebx, std::uint64_t edx = 0x534D4150, std::uint64_t ecx = 20) {
    return call(0x15, {.rax = 0xE820, .rbx = ebx, .rcx = ecx, .rdx = edx, .rdi = 0x500});
  }
  [[nodiscard]] std::uint64_t base() const { return memory_.read<std::uint64_t>(Gpa{0x500}); }
  [[nodiscard]] std::uint64_t size() const { return memory_.read<std::uint64_t>(Gpa{0x508}); }
  [[nodiscard]] std::uint32_t type() const { return memory_.read<std::uint32_t>(Gpa{0x510}); }
};

TEST_F(MemoryMapTest, IsToldARangeAtATime) {
  const Registers first = ask(0);
  EXPECT_EQ(first.eax(), 0x534D4150U);
  EXPECT_EQ(first.ecx(), 20U);
  EXPECT_EQ(first.ebx(), 1U);
  EXPECT_FALSE(first.rflags.cf());
  EXPECT_EQ(base(), 0U);
  EXPECT_EQ(size(), 639 * kKiB);
  EXPECT_EQ(type(), 1U);
  ask(1);
  EXPECT_EQ(base(), 639 * kKiB);
  EXPECT_EQ(type(), 2U);
  EXPECT_EQ(ask(3).ebx(), 0U) << "the last";
  EXPECT_EQ(base(), kMiB);
  EXPECT_EQ(size(), 15 * kMiB);
}

TEST_F(MemoryMapTest, RefusesWhatIsNotAsked) {
  EXPECT_TRUE(ask(4).rflags.cf()) << "there is none";
  EXPECT_TRUE(ask(0, 0x534D4151).rflags.cf());
  EXPECT_TRUE(ask(0, 0x534D4150, 19).rflags.cf());
  EXPECT_EQ(call_.after.ah(), 0x86);
}

TEST_F(MemoryMapTest, CanBeTheTests) {
  bios_.settings.memory_map = {{Gpa{0}, 0x1000, MemoryRange::Type::kUsable},
                               {Gpa{1ULL << 40U}, 5, MemoryRange::Type::kBad}};
  EXPECT_EQ(ask(1).ebx(), 0U);
  EXPECT_EQ(base(), 1ULL << 40U);
  EXPECT_EQ(type(), 5U);
  bios_.settings.memory_map = std::vector<MemoryRange>{};
  EXPECT_TRUE(ask(0).rflags.cf());
  EXPECT_FALSE(call_.is_known) << "a BIOS without the function";
}

// The older functions tell of the RAM from 1 MiB on without a gap.
TEST_F(MemoryMapTest, TheOlderFunctionsAgreeWithIt) {
  using enum MemoryRange::Type;
  const auto kib = [this] { return call(0x15, {.rax = 0x8800}).ax(); };
  bios_.settings.memory_map = {{Gpa{0}, 0x9FC00, kUsable},
                               {Gpa{kMiB}, 2 * kMiB, kUsable},
                               {Gpa{3 * kMiB}, kMiB, kUsable},
                               {Gpa{5 * kMiB}, kMiB, kUsable}};
  EXPECT_EQ(kib(), 3 * 1024);
  EXPECT_EQ(call(0x15, {.rax = 0xE801}).ax(), 3 * 1024);
  bios_.settings.memory_map = {{Gpa{kMiB}, 31 * kMiB, kUsable}};
  EXPECT_EQ(call(0x15, {.rax = 0xE801}).ax(), 15 * 1024);
  EXPECT_EQ(call_.after.bx(), 16 * 16);
  bios_.settings.memory_map = {{Gpa{kMiB}, kMiB, kReserved}};
  EXPECT_EQ(kib(), 0);
  bios_.settings.memory_map = {{Gpa{0}, 1ULL << 40U, kUsable}};
  EXPECT_EQ(kib(), 0xFFFF);
  bios_.settings.memory_map = std::vector<MemoryRange>{};
  EXPECT_EQ(kib(), 15 * 1024) << "a BIOS that has only these";
}

TEST_F(SystemServicesTest, TheA20Gate) {
  EXPECT_EQ(call(0x15, {.rax = 0x2402}).al(), 1) << "open, as most BIOSes leave it";
  EXPECT_FALSE(call(0x15, {.rax = 0x2400}).rflags.cf());
  EXPECT_EQ(call(0x15, {.rax = 0x2402}).al(), 0);
  EXPECT_EQ(call(0x15, {.rax = 0x2401}).ah(), 0);
  EXPECT_EQ(call(0x15, {.rax = 0x2402}).al(), 1);
  bios_.settings.has_a20_service = false;
  EXPECT_TRUE(call(0x15, {.rax = 0x2401}).rflags.cf());
  EXPECT_EQ(call_.after.ah(), 0x86);
}

TEST_F(SystemServicesTest, MovesABlock) {
  memory_.write_string(Gpa{0x3000}, "moved");
  memory_.write<std::uint64_t>(Gpa{0x610}, 0x0000'9300'3000'FFFF);
  memory_.write<std::uint64_t>(Gpa{0x618}, 0x0000'9320'0000'FFFF);
  EXPECT_EQ(call(0x15, {.rax = 0x8700, .rcx = 3, .rsi = 0x600}).ah(), 0);
  EXPECT_EQ(memory_.read_string(Gpa{0x200000}), "moved");
  memory_.write<std::uint64_t>(Gpa{0x618}, 0xFF00'93FF'FFFF'FFFF);
  EXPECT_TRUE(call(0x15, {.rax = 0x8700, .rcx = 3, .rsi = 0x600}).rflags.cf()) << "nowhere";
}

TEST_F(SystemServicesTest, Keys) {
  bios_.settings.keys = "a\nB\x1b";
  EXPECT_FALSE(call(0x16, {.rax = 0x0100}).rflags.zf());
  EXPECT_EQ(call_.after.ax(), 0x1E61) << "and it stays";
  EXPECT_EQ(call(0x16, {}).ax(), 0x1E61);
  EXPECT_EQ(call(0x16, {.rax = 0x1000}).ax(), 0x1C0D) << "Enter";
  EXPECT_EQ(call(0x16, {}).ax(), 0x3042) << "with Shift";
  EXPECT_EQ(call(0x16, {}).ax(), 0x011B) << "Escape";
  EXPECT_TRUE(call(0x16, {.rax = 0x1100}).rflags.zf());
  EXPECT_EQ(stopped_, "");
  call(0x16, {});
  EXPECT_EQ(stopped_, "it waits for a key (INT 16h, AH = 00h), and all have been read");
}

TEST_F(SystemServicesTest, AnUnknownFunctionOfTheKeyboardLeavesTheFlags) {
  EXPECT_FALSE(call(0x16, {.rax = 0x7700}).rflags.cf());
  EXPECT_FALSE(call_.is_known);
}

TEST_F(SystemServicesTest, AKeyPutIntoTheBufferIsReadNext) {
  bios_.settings.keys = "ab";
  call(0x16, {});
  EXPECT_EQ(call(0x16, {.rax = 0x0500, .rcx = 0x2C7A}).al(), 0);
  EXPECT_EQ(call(0x16, {}).al(), 'z');
  EXPECT_EQ(call(0x16, {}).al(), 'b');
}

TEST_F(SystemServicesTest, AKeyPutIntoTheBufferKeepsItsScanCode) {
  call(0x16, {.rax = 0x0500, .rcx = 0x3B00});
  EXPECT_EQ(call(0x16, {.rax = 0x1100}).ax(), 0x3B00) << "F1";
  EXPECT_EQ(call(0x16, {.rax = 0x1000}).ax(), 0x3B00);
  for (unsigned i = 0; i < 15; ++i) {
    EXPECT_EQ(call(0x16, {.rax = 0x0500, .rcx = 0x1E61}).al(), 0) << i;
  }
  EXPECT_EQ(call(0x16, {.rax = 0x0500, .rcx = 0x1E61}).al(), 1) << "it is full";
}

TEST_F(SystemServicesTest, TheClockGoesByCalls) {
  EXPECT_EQ(call(0x1A, {}).dx(), 1);
  EXPECT_EQ(call(0x1A, {}).dx(), 2);
  call(0x1A, {.rax = 0x0100, .rcx = 0x0017, .rdx = 0x1234});
  EXPECT_EQ(call(0x1A, {}).dx(), 0x1235);
  EXPECT_EQ(call_.after.cx(), 0x17);
  EXPECT_EQ(call(0x1A, {.rax = 0x0200}).cx(), 0x1234) << "the same time in every run";
  EXPECT_EQ(call(0x1A, {.rax = 0x0400}).cx(), 0x2000);
}

// A day has 1800B0h ticks; AL tells once that one has passed.
TEST_F(SystemServicesTest, TheClockBeginsAnewAtMidnight) {
  const auto set = [this] { call(0x1A, {.rax = 0x0100, .rcx = 0x0018, .rdx = 0x00AE}); };
  set();
  EXPECT_EQ(call(0x1A, {}).dx(), 0xAF);
  EXPECT_EQ(call_.after.al(), 0);
  EXPECT_EQ(call(0x1A, {}).dx(), 0);
  EXPECT_EQ(call_.after.cx(), 0);
  EXPECT_EQ(call_.after.al(), 1);
  EXPECT_EQ(call(0x1A, {}).al(), 0);
  set();
  call(0x08, {});
  call(0x08, {});
  EXPECT_EQ(memory_.read<std::uint32_t>(kBiosTicks), 0U) << "by the timer, too";
  EXPECT_EQ(memory_.read<std::uint8_t>(kBiosMidnight), 1);
  set();
  call(0x15, {.rax = 0x8600, .rcx = 2, .rdx = 0});
  EXPECT_EQ(memory_.read<std::uint32_t>(kBiosTicks), 0U) << "and by waiting: 131072 us";
}

TEST_F(SystemServicesTest, TheRealTimeClockTellsWhatItWasSetTo) {
  call(0x1A, {.rax = 0x0300, .rcx = 0x1020, .rdx = 0x3000});
  EXPECT_EQ(call(0x1A, {.rax = 0x0200}).cx(), 0x1020);
  EXPECT_EQ(call_.after.dx(), 0x3000);
  call(0x1A, {.rax = 0x0500, .rcx = 0x2003, .rdx = 0x0405});
  EXPECT_EQ(call(0x1A, {.rax = 0x0400}).cx(), 0x2003);
  EXPECT_EQ(call_.after.dx(), 0x0405);
  EXPECT_EQ(bios_.cmos->byte(Cmos::kMonth), 4) << "also at port 71h";
}

TEST_F(SystemServicesTest, TheSerialPortPrints) {
  EXPECT_EQ(call(0x14, {.rax = 0x0141}).ah() & 0x80, 0);
  EXPECT_EQ(call_.text, "A");
  EXPECT_EQ(call(0x14, {.rax = 0x0200}).ah(), 0x80) << "nothing comes";
}

TEST_F(SystemServicesTest, ASerialPortThatThereIsNotPrintsNothing) {
  EXPECT_EQ(call(0x14, {.rax = 0x0141, .rdx = 1}).ax(), 0x0141) << "COM2";
  EXPECT_EQ(call_.text, "");
  EXPECT_EQ(call(0x14, {.rax = 0x0300, .rdx = 4}).ax(), 0x0300);
}

TEST_F(SystemServicesTest, TheEndsOfBooting) {
  call(0x18, {});
  EXPECT_EQ(stopped_, "it gave up booting (INT 18h)");
  call(0x19, {});
  EXPECT_EQ(stopped_, "it rebooted (INT 19h, or a jump to F000:FFF0)");
}

// In protected mode the same vectors are exceptions.
TEST_F(SystemServicesTest, AreOfRealMode) {
  ServiceCall call{.vector = Vector{0x10}};
  call.before.cr0.value = Cr0::kPe;
  call.after = call.before;
  EXPECT_FALSE(services_.on_handler(call, *this));
}

TEST_F(SystemServicesTest, TheBufferHoldsFifteenKeys) {
  for (unsigned i = 0; i < 15; ++i) {
    EXPECT_EQ(call(0x16, {.rax = 0x0500, .rcx = 0x1E61}).al(), 0) << i;
  }
  EXPECT_EQ(call(0x16, {.rax = 0x0500, .rcx = 0x3042}).al(), 1) << "it is full";
}

TEST_F(SystemServicesTest, MovesUpTo64KiB) {
  memory_.write<std::uint8_t>(Gpa{0x1'FFFF}, 0xAA);
  memory_.write<std::uint64_t>(Gpa{0x610}, 0x0000'9301'0000'FFFF);
  memory_.write<std::uint64_t>(Gpa{0x618}, 0x0000'9320'0000'FFFF);
  EXPECT_EQ(call(0x15, {.rax = 0x8700, .rcx = 0x8000, .rsi = 0x600}).ah(), 0);
  EXPECT_EQ(memory_.read<std::uint8_t>(Gpa{0x20'FFFF}), 0xAA);
  EXPECT_EQ(call(0x15, {.rax = 0x8700, .rcx = 0x8001, .rsi = 0x600}).ah(), 2) << "too much";
}

}  // namespace
}  // namespace hltest::internal
