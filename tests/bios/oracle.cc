#include "oracle.h"

#include <fmt/format.h>

#include "bios/bios_data.h"

namespace hltest::oracle {
namespace {

using internal::kBiosActivePage;
using internal::kBiosCursors;
using internal::kBiosPageStart;

constexpr std::uint64_t kTextMemory = 0x8000;

// Those that software sees: no TF, RF or reserved bits.
constexpr std::uint64_t kCompared = Rflags::kCf | Rflags::kPf | Rflags::kAf | Rflags::kZf |
                                    Rflags::kSf | Rflags::kIf | Rflags::kDf | Rflags::kOf;

NamedRegisters named(const Registers& r) {
  return {{"rax", r.rax},        {"rbx", r.rbx},        {"rcx", r.rcx},
          {"rdx", r.rdx},        {"rsi", r.rsi},        {"rdi", r.rdi},
          {"rbp", r.rbp},        {"rsp", r.rsp},        {"r8", r.r8},
          {"r9", r.r9},          {"r10", r.r10},        {"r11", r.r11},
          {"r12", r.r12},        {"r13", r.r13},        {"r14", r.r14},
          {"r15", r.r15},        {"cs", r.cs.selector}, {"ss", r.ss.selector},
          {"ds", r.ds.selector}, {"es", r.es.selector}, {"fs", r.fs.selector},
          {"gs", r.gs.selector}, {"rip", r.rip},        {"rflags", r.rflags.value}};
}

void expect_alike(const NamedRegisters& hltest, const NamedRegisters& qemu,
                  const std::map<std::string, std::string>& excluded, const char* when) {
  for (const auto& [name, value] : hltest) {
    if (excluded.contains(name)) continue;
    const std::uint64_t mask = name == "rflags" ? kCompared : ~0ULL;
    EXPECT_EQ(value & mask, qemu.at(name) & mask)
        << fmt::format("{} {}: hltest {:#x}, QEMU {:#x}", name, when, value, qemu.at(name));
  }
}

// Where two ranges differ, a few places of it.
std::string differences(std::span<const std::uint8_t> hltest, std::span<const std::uint8_t> qemu,
                        Gpa from) {
  constexpr unsigned kMost = 8;
  std::string text;
  unsigned count = 0;
  for (std::size_t i = 0; i < hltest.size() && i < qemu.size(); ++i) {
    if (hltest[i] == qemu[i] || ++count > kMost) continue;
    text +=
        fmt::format("\n  {}: hltest {:02x}, QEMU {:02x}", to_string(from + i), hltest[i], qemu[i]);
  }
  return count == 0 ? "" : fmt::format("{} bytes differ:{}", count, text);
}

}  // namespace

Disk hard_disk(const FlatImage& image) {
  constexpr std::uint64_t kLast = 19'999;
  return Disk{sector(image), at(kLast, RealModeImage{"last", {0x4C}})};
}

Disk floppy(const FlatImage& image) { return Disk{sector(image)}; }

void OracleTest::SetUp() {
  BootSectorTest::SetUp();
  if (IsSkipped()) return;
  if (!QemuProcess::installed()) {
    GTEST_SKIP() << "qemu-system-x86_64 is not in PATH: install the package qemu-system-x86";
  }
}

void OracleTest::compare(const BootCase& boot_case) {
  bios().keys = boot_case.keys;
  for (const auto& [drive, disk] : boot_case.disks) insert(drive, disk);
  outcome_ = run_from(boot_case.boot, boot_case.disks.at(boot_case.boot));
  ASSERT_THAT(outcome_, Halted()) << report(outcome_);
  ASSERT_NO_FATAL_FAILURE(boot_in_qemu(boot_case));
  compare_registers(boot_case);
  compare_display();
  EXPECT_THAT(outcome_, SentOnSerial(qemu_->serial())) << "what QEMU's guest sent";
  for (const OwnedMemory& range : boot_case.memory)
    compare_memory(range, boot_case.excluded_memory);
  compare_disks(boot_case);
}

void OracleTest::boot_in_qemu(const BootCase& boot_case) {
  constexpr std::uint64_t kCursorsSize = 16;
  qemu_ = std::make_unique<Qemu>(boot_case.disks, boot_case.boot);
  qemu_->run_to(Gva{kBootAddress.value()});
  expect_alike(named(outcome_.start), qemu_->registers(),
               {{"rsp", "6F00h or 6F04h: SeaBIOS leaves what its compiler made of its stack"}},
               "at the start");
  qemu_->set_stack_pointer(outcome_.start.sp());
  std::vector<std::uint8_t> blank;
  while (blank.size() < kTextMemory) blank.insert(blank.end(), {' ', 0x07});
  qemu_->write(kTextScreen, blank);
  qemu_->write(kBiosCursors, std::vector<std::uint8_t>(kCursorsSize));
  if (boot_case.ready.value() != kBootAddress.value()) qemu_->run_to(boot_case.ready);
  qemu_->run_to(outcome_.stop_address(), boot_case.keys);
}

void OracleTest::compare_registers(const BootCase& boot_case) {
  std::map<std::string, std::string> excluded = boot_case.excluded;
  excluded.emplace("rip", "QEMU stops before the HLT");
  expect_alike(named(outcome_.registers), qemu_->registers(), excluded, "at the end");
}

void OracleTest::compare_display() {
  compare_memory({.from = kTextScreen, .size = kTextMemory});
  compare_memory({.from = kBiosCursors, .size = 16});
  compare_memory({.from = kBiosActivePage, .size = 1});
  compare_memory({.from = kBiosPageStart, .size = 2});
}

void OracleTest::compare_memory(const OwnedMemory& range,
                                const std::vector<ExcludedMemory>& excluded) {
  std::vector<std::uint8_t> ours = memory().read_bytes(range.from, range.size);
  const std::vector<std::uint8_t> theirs = qemu_->read(range.from, range.size);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const Gpa at = range.from + i;
    for (const ExcludedMemory& each : excluded) {
      if (at >= each.from && at - each.from < each.size) ours[i] = theirs[i];
    }
  }
  EXPECT_EQ(differences(ours, theirs, range.from), "") << "hltest's screen:\n"
                                                       << to_string(outcome_.screen());
}

void OracleTest::compare_disks(const BootCase& boot_case) {
  constexpr std::uint64_t kMostCompared =
      100'000;  // sectors; larger disks are asked for their size
  for (const auto& [drive, before] : boot_case.disks) {
    if (before.sectors() > kMostCompared) continue;
    const Disk in_qemu = qemu_->disk(drive);
    const std::uint64_t size = before.sectors() * Disk::kSectorSize;
    EXPECT_EQ(differences(outcome_.disks.at(drive).read_bytes(0, size), in_qemu.read_bytes(0, size),
                          Gpa{0}),
              "")
        << fmt::format("offsets on drive {:#x}", drive);
  }
}

}  // namespace hltest::oracle
