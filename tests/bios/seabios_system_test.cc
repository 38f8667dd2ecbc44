// INT 11h, 12h and 14h to 1Ah in hltest and in SeaBIOS. Not here: vectors that nothing serves.
// SeaBIOS returns from them, and hltest ends the run, which tells a test of a wrong vector.
#include "service_calls.h"

namespace hltest::oracle {
namespace {

// What need not be alike.
using Exclusions = std::vector<Exclusion>;
const Exclusions kAcpi = {{"ax cx", "SeaBIOS keeps 128 KiB at the end for its ACPI tables"}};
const Exclusions kMouse = {{"al",
                            "bit 2: QEMU has a PS/2 mouse, hltest none; the other bits are "
                            "compared as the data area's"}};
const Exclusions kNoMouse = {{"ah", "hltest has no mouse (86h); QEMU's is off (03h)"}};
const Exclusions kNoApm = {{"ax bx cx cf", "hltest has no APM"}};
const Exclusions kOfTheBios = {
    {"ah cf",
     "the BIOS's own calls, for others to hook; hltest makes none and refuses them (86h)"}};
const Exclusions kItsTable = {{"bx", "where the table is in the ROM; its bytes are compared"}};
const Exclusions kModemStatus = {
    {"al cf",
     "AL: QEMU has a modem that is ready, hltest none. CF: IBM's BIOS leaves it alone, as "
     "hltest does"}};
const Exclusions kNoSerialData = {
    {"ah cf", "bit 7 of AH, a time-out, is in both; the others are of no meaning then"}};
const Exclusions kCarry = {{"cf", "IBM's BIOS leaves it alone, as hltest does"}};
const Exclusions kPrinter = {
    {"ah cf", "hltest tells a time-out (01h) of a missing printer; SeaBIOS returns"}};
const Exclusions kShiftFlags = {{"ah", "only AL has a meaning; BIOSes destroy AH or keep it"}};
const Exclusions kNoSuchKeyboard = {
    {"al bx cf", "hltest lacks the function, as the first ATs; SeaBIOS has it"}};
const Exclusions kTicks = {{"cx dx", "time"}};
const Exclusions kTime = {{"ax cx dx", "time; AX has no meaning"}};
const Exclusions kNoMeaning = {{"ax", "it has no meaning"}};
const Exclusions kNoPci = {{"eax ebx edx edi cf", "hltest has no PCI"}};

class SystemOracleTest : public ServiceOracleTest {
 protected:
  Call& call(const std::string& what, std::uint8_t vector, std::uint32_t eax,
             const Exclusions& excluded = {}) {
    table_.calls.push_back({.what = what, .vector = vector, .eax = eax, .excluded = excluded});
    return table_.calls.back();
  }

  CallTable table_{};
};

TEST_F(SystemOracleTest, TheMachine) {
  call("equipment", 0x11, 0, kMouse);
  call("memory", 0x12, 0);
  call("A20?", 0x15, 0x2402);
  call("close A20", 0x15, 0x2400);
  call("A20?", 0x15, 0x2402);
  call("open A20", 0x15, 0x2401);
  call("A20?", 0x15, 0x2402);
  call("how is A20 opened?", 0x15, 0x2403);
  call("after A20's functions", 0x15, 0x2404);
  call("extended memory", 0x15, 0x8800, kAcpi);
  call("two sizes", 0x15, 0xE801, kAcpi);
  call("two sizes, 32 bits", 0x15, 0xE881);
  call("the EBDA", 0x15, 0xC100);
  call("open a device", 0x15, 0x8000);
  call("joystick", 0x15, 0x8400);
  call("SysReq", 0x15, 0x8500);
  call("a key", 0x15, 0x4F1E, kOfTheBios);
  call("a device is busy", 0x15, 0x9000, kOfTheBios);
  call("a device is done", 0x15, 0x9100, kOfTheBios);
  call("mouse", 0x15, 0xC205, kNoMouse);
  call("APM", 0x15, 0x5300, kNoApm);
  call("cassette", 0x15, 0x0000);
  call("EISA", 0x15, 0xD800);
  call("an unknown function", 0x15, 0x7700);
  compare_calls(table_);
}

TEST_F(SystemOracleTest, TheConfigurationTable) {
  call("configuration", 0x15, 0xC000, kItsTable);
  compare_calls(table_);
  ASSERT_FALSE(in_qemu_.empty());
  const auto table = [](const Returned& result) {
    return Gpa{result.es * 16ULL + (result.ebx & 0xFFFFU)};
  };
  // The length, the model and the revision. Of the features, SeaBIOS calls INT 15h, AH = 4Fh for
  // each key, and has INT 16h, AH = 09h; hltest does neither.
  constexpr std::uint64_t kTableSize = 5;
  EXPECT_EQ(memory().read_bytes(table(in_hltest_[0]), kTableSize),
            qemu_->read(table(in_qemu_[0]), kTableSize));
}

TEST_F(SystemOracleTest, WaitAndMoveABlock) {
  // The GDT at ES:SI: the fourth and fifth of six descriptors are the source and the destination.
  constexpr std::uint32_t kTable = Call::kTableSegment * 16 + CallTable::kData;
  constexpr std::uint32_t kBuffer = Call::kBufferSegment * 16 + 0x100;
  table_.data.resize(0x40);
  for (std::uint8_t i = 0; i < 0x10; ++i)
    table_.data[0x30 + i] = static_cast<std::uint8_t>('A' + i);
  const auto describe = [this](std::size_t at, std::uint32_t base) {
    for (unsigned i = 0; i < 3; ++i) {
      table_.data[at + 2 + i] = static_cast<std::uint8_t>(base >> (8 * i));
    }
    table_.data[at] = 0xFF;
    table_.data[at + 1] = 0xFF;
    table_.data[at + 5] = 0x93;
  };
  describe(0x10, kTable + 0x30);
  describe(0x18, kBuffer);
  const auto move = [this](const std::string& what, std::uint32_t words) {
    Call& added = call(what, 0x15, 0x8700);
    added.es = Call::kTableSegment;
    added.esi = CallTable::kData;
    added.ecx = words;
  };
  move("eight words", 8);
  move("no words", 0);
  Call& wait = call("wait a millisecond", 0x15, 0x8600);
  wait.edx = 1000;
  const std::string why = "descriptors that are the BIOS's to fill; hltest needs none";
  table_.excluded_memory = {{.from = Gpa{kTable + 0x08}, .size = 8, .why = why},
                            {.from = Gpa{kTable + 0x20}, .size = 16, .why = why}};
  compare_calls(table_);
}

// The ranges below 1 MiB; those from there on differ by SeaBIOS's ACPI tables.
TEST_F(SystemOracleTest, MemoryMap) {
  const auto ask = [this](const std::string& what, std::uint32_t ebx, std::uint32_t ecx,
                          std::uint32_t edx) {
    Call& added = call(what, 0x15, 0xE820);
    added.upper = 0;
    added.ebx = ebx;
    added.ecx = ecx;
    added.edx = edx;
    added.edi = static_cast<std::uint32_t>(table_.calls.size() * 32);
  };
  constexpr std::uint32_t kSmap = 0x534D4150;
  ask("the first range", 0, 20, kSmap);
  ask("the second range", 1, 20, kSmap);
  ask("the third range", 2, 24, kSmap);
  ask("beyond the last", 100, 20, kSmap);
  ask("a wrong signature", 0, 20, kSmap + 1);
  ask("19 bytes", 0, 19, kSmap);
  compare_calls(table_);
}

TEST_F(SystemOracleTest, SerialPortAndPrinter) {
  call("status", 0x14, 0x0300, kModemStatus);
  call("initialise, 9600 8N1", 0x14, 0x00E3, kModemStatus);
  call("send", 0x14, 0x0141, kCarry);
  call("send", 0x14, 0x010A, kCarry);
  call("receive", 0x14, 0x0200, kNoSerialData);
  call("an unknown function", 0x14, 0x7700);
  call("COM2's status", 0x14, 0x0300, kCarry).edx = 1;
  call("send to COM2", 0x14, 0x0142, kCarry).edx = 1;
  call("send to the port 80h", 0x14, 0x0142, kCarry).edx = 0x80;
  call("print", 0x17, 0x0041, kPrinter);
  call("the printer's status", 0x17, 0x0200, kPrinter);
  compare_calls(table_);
  ASSERT_FALSE(in_qemu_.empty());
  constexpr std::uint32_t kTimeout = 0x8000;
  EXPECT_EQ(in_hltest_[4].eax & kTimeout, in_qemu_[4].eax & kTimeout) << "of receive";
}

TEST_F(SystemOracleTest, Keyboard) {
  call("a key?", 0x16, 0x0100);
  call("a key?, extended", 0x16, 0x1100);
  call("shift flags", 0x16, 0x0200, kShiftFlags);
  call("shift flags, extended", 0x16, 0x1200);
  call("store a", 0x16, 0x0500).ecx = 0x1E61;
  call("store F1", 0x16, 0x0500).ecx = 0x3B00;
  call("a key?", 0x16, 0x0100);
  call("read a", 0x16, 0x0000);
  call("a key?, extended", 0x16, 0x1100);
  call("read F1, extended", 0x16, 0x1000);
  call("a key?", 0x16, 0x0100);
  for (unsigned i = 0; i < 17; ++i) call("fill the buffer", 0x16, 0x0500).ecx = 0x3062;
  for (unsigned i = 0; i < 15; ++i) call("empty the buffer", 0x16, 0x0000);
  call("a key?", 0x16, 0x0100);
  call("the repeat rate", 0x16, 0x0305);
  call("what functions are there?", 0x16, 0x0900, kNoSuchKeyboard);
  call("the keyboard's identity", 0x16, 0x0A00, kNoSuchKeyboard);
  call("an unknown function", 0x16, 0x7700);
  compare_calls(table_);
}

// The clock runs on between the calls, but for a moment only: seconds may differ, and no more.
TEST_F(SystemOracleTest, SettingTheClock) {
  Call& time = call("set the time", 0x1A, 0x0300, kNoMeaning);
  time.ecx = 0x1020;
  time.edx = 0x3000;
  call("the time that was set", 0x1A, 0x0200, {{"ax", "no meaning"}, {"dh", "seconds"}});
  Call& date = call("set the date", 0x1A, 0x0500, kNoMeaning);
  date.ecx = 0x2003;
  date.edx = 0x0405;
  call("the date that was set", 0x1A, 0x0400, {{"ax", "no meaning"}});
  compare_calls(table_);
}

bool is_bcd(std::uint32_t value) {
  return (value & 0xFU) <= 9 && (value >> 4U & 0xFU) <= 9 && (value >> 8U & 0xFU) <= 9 &&
         (value >> 12U & 0xFU) <= 9;
}

TEST_F(SystemOracleTest, Clock) {
  call("ticks", 0x1A, 0x0000, kTicks);
  call("set ticks", 0x1A, 0x0100, kNoMeaning).ecx = 8;
  call("ticks after that", 0x1A, 0x0000, {{"dx", "time, but not CX: eight hours and a moment"}});
  call("time", 0x1A, 0x0200, kTime);
  call("date", 0x1A, 0x0400, kTime);
  call("an unknown function", 0x1A, 0x7700);
  call("PCI BIOS?", 0x1A, 0xB101, kNoPci);
  compare_calls(table_);
  ASSERT_FALSE(in_qemu_.empty());
  for (const std::size_t at : {3U, 4U}) {
    for (const Returned& result : {in_hltest_[at], in_qemu_[at]}) {
      EXPECT_TRUE(is_bcd(result.ecx & 0xFFFFU)) << result.ecx;
      EXPECT_TRUE(is_bcd(result.edx & 0xFF00U)) << result.edx;
    }
  }
}

TEST_F(SystemOracleTest, VectorsForHandlersOfOthers) {
  for (const std::uint8_t vector : std::vector<std::uint8_t>{0x1B, 0x1C, 0x4A}) {
    call("nothing", vector, 0x1234);
  }
  compare_calls(table_);
}

}  // namespace
}  // namespace hltest::oracle
