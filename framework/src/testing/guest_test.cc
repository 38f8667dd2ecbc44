#include "testing/guest_test.h"
#include "kvm/error.h"
#include "machine/report.h"
#include "machine/report_colour.h"
#include "trace/replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

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
  } catch (const kvm::Unavailable& unavailable) {
    if (kvm_is_required()) {
      FAIL() << "HLTEST_REQUIRE_KVM is set, and KVM can't be used: " << unavailable.what();
    }
    GTEST_SKIP() << "KVM can't be used: " << unavailable.what();
  }
}

GuestTest::~GuestTest() {
  // In the destructor, so that a fixture which overrides TearDown can't lose it.
  if (!HasFailure() || !last_outcome_.has_value()) return;
  const std::string text = report(replayed(*std::move(last_outcome_)));
  RecordProperty("hltest_report", text);
  const bool in_colour = takes_colour(STDOUT_FILENO) && GTEST_FLAG_GET(color) != "no";
  fmt::print(stdout, "{}\n", in_colour ? coloured(text) : text);
  std::fflush(stdout);
}

Outcome GuestTest::run_image(const FlatImage& image, const StartRegisters& start) {
  last_outcome_.reset();  // so that a run which throws is not reported as the one before
  last_outcome_ = machine_.run(image, start);
  return *last_outcome_;
}

}  // namespace hltest
