#pragma once

#include <gtest/gtest.h>

#include <optional>

#include <hltest/image.h>
#include "machine/machine.h"

namespace hltest {

/// The base of the fixtures: one `Machine`, new for every test.
///
/// Without a usable /dev/kvm the test is skipped with the reason, or fails if the environment has
/// HLTEST_REQUIRE_KVM=1. When a test fails, the report of its last run is printed once, behind
/// gtest's own messages, and recorded as the property `hltest_report` of the test's XML output. A
/// test that never calls `run` has no report; what a second `run` does is `Machine::run`'s to say.
///
/// A fixture of your own that overrides SetUp calls this SetUp first; settings of the machine and
/// its memory work there even when the test is being skipped.
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
  /// The guest's page tables, GDT and IDT at the end of the last run: `Machine::tables`.
  [[nodiscard]] SystemTables tables() const { return machine_.tables(); }

  /// `Machine::run`, remembered for the report.
  [[nodiscard]] Outcome run_image(const FlatImage& image, const StartRegisters& start);

 private:
  Machine machine_;
  std::optional<Outcome> last_outcome_;
};

/// A fixture whose guests start in one mode (see start_state.h for the state they find).
template <CpuMode kStartMode>
class ModeTest : public GuestTest {
 public:
  static constexpr CpuMode kMode = kStartMode;

 protected:
  ModeTest() : GuestTest(kStartMode) {}

  /// Runs `image` to HLT, or to whatever else ends it, with `start` in place of the start state's
  /// registers. Throws as `Machine::run` does, which fails the test.
  /// A run that times out or faults fails nothing by itself: expect what it has to come to.
  [[nodiscard]] Outcome run(const Image<image_mode(kStartMode)>& image,
                            const StartRegisters& start = {}) {
    return run_image(image, start);
  }
};

class RealModeTest : public ModeTest<CpuMode::kReal16> {};
class ProtectedModeTest : public ModeTest<CpuMode::kProtected32> {};
class LongModeTest : public ModeTest<CpuMode::kLong64> {};
/// 16-bit protected mode; runs images of MODE real.
class ProtectedMode16Test : public ModeTest<CpuMode::kProtected16> {};
/// 32-bit code under a 64-bit system; runs images of MODE protected.
class CompatibilityModeTest : public ModeTest<CpuMode::kCompatibility32> {};

}  // namespace hltest
