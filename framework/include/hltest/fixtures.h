#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/hostile_bios.h>
#include <hltest/image.h>
#include <hltest/machine.h>

namespace hltest {

/// The base of the fixtures: one `Machine`, new for every test.
///
/// Without a usable /dev/kvm the test is skipped with the reason, or fails if the environment has
/// HLTEST_REQUIRE_KVM=1. When a test fails, the report of the run that its first failed
/// expectation was about is printed once, after GoogleTest's own messages, and recorded as the
/// property `hltest_report` of the test's XML output. A test that never calls `run` has no report.
///
/// A fixture of your own that overrides SetUp calls this SetUp first; settings of the machine and
/// its memory work there even when the test is being skipped. To be used from the test's thread.
class GuestTest : public ::testing::Test {
 public:
  GuestTest(const GuestTest&) = delete;
  GuestTest& operator=(const GuestTest&) = delete;
  ~GuestTest() override;

 protected:
  explicit GuestTest(CpuMode start_mode) : machine_(start_mode) {}

  void SetUp() override;

  /// What the guest runs on; change it before `run`.
  [[nodiscard]] Machine& machine() { return machine_; }
  /// The guest's memory, before and after the run.
  [[nodiscard]] GuestMemory& memory() { return machine_.memory(); }
  /// `Outcome::tables` of the last run.
  [[nodiscard]] GuestTables tables() const;

  /// `Machine::run` and `Machine::rerun`, remembered for the report.
  [[nodiscard]] Outcome run_image(const FlatImage& image, const StartRegisters& start);
  [[nodiscard]] Outcome rerun_image(const FlatImage& image, const StartRegisters& start);
  /// `Machine::boot`, likewise.
  [[nodiscard]] Outcome boot_drive(Drive drive, const StartRegisters& start);

 private:
  void begin_run();
  Outcome remember(Outcome outcome);
  void note_failure();
  void print_report() const;

  Machine machine_;
  std::vector<std::uint64_t> runs_;  // by their ids; 0 for one that threw
  std::optional<Outcome> last_;
  bool had_failure_ = false;       // before the last run
  std::optional<Outcome> failed_;  // the run that the first failed expectation was about
};

/// A fixture whose guests start in one mode (see start_state.h for the state they find).
template <CpuMode kStartMode>
class ModeTest : public GuestTest {
 public:
  static constexpr CpuMode kMode = kStartMode;

 protected:
  ModeTest() : GuestTest(kStartMode) {}

  /// Runs `image` to HLT, or to whatever else ends it, with `start` in place of the start state's
  /// registers. Each run starts from what the test has set up. Throws as `Machine::run` does, which
  /// fails the test. A run that times out or faults fails nothing by itself: expect what it has to
  /// come to.
  [[nodiscard]] Outcome run(const Image<image_mode(kStartMode)>& image,
                            const StartRegisters& start = {}) {
    return run_image(image, start);
  }
  /// The same as a warm reset: with the RAM as the last run left it, and scripts as they are.
  [[nodiscard]] Outcome rerun(const Image<image_mode(kStartMode)>& image,
                              const StartRegisters& start = {}) {
    return rerun_image(image, start);
  }
};

/// A fixture whose guests boot from disks, as a BIOS boots them (`Machine::boot`, bios.h).
class BootSectorTest : public GuestTest {
 protected:
  BootSectorTest() : GuestTest(CpuMode::kReal16) {}

  /// What the BIOS is like; change it before `run`.
  [[nodiscard]] Bios& bios() { return machine().bios(); }
  /// Puts a disk into a drive, beside the one that `run` boots from.
  void insert(Drive drive, Disk disk) { machine().insert(drive, std::move(disk)); }

  /// Boots from `disk`: from drive 0 if it has a standard floppy's size, else from drive 0x80.
  /// `start` are registers in place of the BIOS's.
  [[nodiscard]] Outcome run(const Disk& disk, const StartRegisters& start = {});
  /// The same from a drive of the test's choice.
  [[nodiscard]] Outcome run_from(Drive drive, const Disk& disk, const StartRegisters& start = {});
  /// Boots in a state that some BIOS leaves: `hostile_bios_states()` has them.
  [[nodiscard]] Outcome run_in(const BiosState& state, const Disk& disk);
  /// Boots from a hard disk (drive 0x80) that begins with this image.
  [[nodiscard]] Outcome run(const RealModeImage& image, const StartRegisters& start = {});
};

class RealModeTest : public ModeTest<CpuMode::kReal16> {};
class ProtectedModeTest : public ModeTest<CpuMode::kProtected32> {};
class LongModeTest : public ModeTest<CpuMode::kLong64> {};
/// 16-bit protected mode; runs images of MODE real.
class ProtectedMode16Test : public ModeTest<CpuMode::kProtected16> {};
/// 32-bit code under a 64-bit system; runs images of MODE protected.
class CompatibilityModeTest : public ModeTest<CpuMode::kCompatibility32> {};
/// 16-bit code under a 64-bit system; runs images of MODE real.
class CompatibilityMode16Test : public ModeTest<CpuMode::kCompatibility16> {};

}  // namespace hltest

/// Skips a test whose guest met an instruction that this host's KVM can't execute, with the
/// instruction as the reason.
#define HLTEST_SKIP_AT_HOST_LIMIT(outcome)                           \
  do {                                                               \
    if (std::holds_alternative<::hltest::HostLimit>((outcome).stop)) \
      GTEST_SKIP() << ::hltest::describe((outcome).stop);            \
  } while (false)
