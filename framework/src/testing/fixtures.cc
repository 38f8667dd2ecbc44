#include <hltest/fixtures.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include <hltest/diagnosis.h>
#include <hltest/error.h>

#include "diagnosis/colour.h"
#include "machine/run_record.h"
#include "testing/mismatch.h"

namespace hltest {
namespace {

bool kvm_is_required() {
  const char* const value = std::getenv("HLTEST_REQUIRE_KVM");
  return value != nullptr && *value != '\0' && std::string_view{value} != "0";
}

}  // namespace

void GuestTest::SetUp() {
  try {
    machine_.create_vm();
  } catch (const KvmUnavailable& unavailable) {
    if (kvm_is_required()) {
      FAIL() << "HLTEST_REQUIRE_KVM is set, and KVM can't be used: " << unavailable.what();
    }
    GTEST_SKIP() << "KVM can't be used: " << unavailable.what();
  }
}

GuestTest::~GuestTest() {
  note_failure();
  if (!failed_ && HasFailure()) failed_ = last_;
  // In the destructor, so that a fixture which overrides TearDown can't lose it.
  if (!failed_) return;
  // Whatever goes wrong now, the test has failed already, and the others are to run.
  try {
    print_report();
  } catch (const std::exception& error) {
    std::fputs("hltest: the report of this test can't be made: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
  }
}

void GuestTest::print_report() const {
  const Diagnosis diagnosis = diagnose(*failed_);
  const auto run = std::ranges::find(runs_, failed_->record->id);
  const std::string which =
      runs_.size() > 1 ? fmt::format("run {} of {}:\n", run - runs_.begin() + 1, runs_.size()) : "";
  RecordProperty("hltest_report", which + to_text(diagnosis));
  const bool in_colour = internal::takes_colour(STDOUT_FILENO) && GTEST_FLAG_GET(color) != "no";
  const std::string text =
      which + (in_colour ? to_coloured_text(diagnosis) : to_text(diagnosis)) + "\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// An expectation that has failed since the last run was about the outcome that did not match, or
// else about that run.
void GuestTest::note_failure() {
  std::optional<Outcome> mismatched = std::exchange(internal::mismatch(), std::nullopt);
  if (failed_ || had_failure_ || !HasFailure()) return;
  const bool is_own =
      mismatched && mismatched->record && std::ranges::count(runs_, mismatched->record->id) != 0;
  failed_ = is_own ? std::move(mismatched) : last_;
}

void GuestTest::begin_run() {
  note_failure();
  last_.reset();  // so that a run which throws is not reported as the one before
  had_failure_ = HasFailure();
  runs_.push_back(0);
}

Outcome GuestTest::remember(Outcome outcome) {
  last_ = outcome;
  runs_.back() = outcome.record->id;
  return outcome;
}

Outcome GuestTest::run_image(const FlatImage& image, const StartRegisters& start) {
  begin_run();
  return remember(machine_.run(image, start));
}

Outcome GuestTest::rerun_image(const FlatImage& image, const StartRegisters& start) {
  begin_run();
  return remember(machine_.rerun(image, start));
}

Outcome GuestTest::boot_drive(Drive drive, const StartRegisters& start) {
  begin_run();
  return remember(machine_.boot(drive, start));
}

Outcome BootSectorTest::run(const Disk& disk, const StartRegisters& start) {
  return run_from(disk.has_floppy_size() ? kFirstFloppy : kFirstHardDisk, disk, start);
}

Outcome BootSectorTest::run_from(Drive drive, const Disk& disk, const StartRegisters& start) {
  insert(drive, disk);
  return boot_drive(drive, start);
}

Outcome BootSectorTest::run_in(const BiosState& state, const Disk& disk) {
  state.prepare(machine());
  return run_from(state.drive, disk, state.registers);
}

Outcome BootSectorTest::run(const RealModeImage& image, const StartRegisters& start) {
  return run_from(kFirstHardDisk, Disk{sector(image)}, start);
}

GuestTables GuestTest::tables() const { return last_ ? last_->tables() : Outcome{}.tables(); }

}  // namespace hltest
