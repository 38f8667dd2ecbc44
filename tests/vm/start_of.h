#pragma once

#include <gtest/gtest.h>

#include <hltest/hltest.h>

#include "kvm/system.h"
#include "start/layout.h"
#include "vm/guest_memory.h"

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

/// Skips the tests of a fixture where there is no KVM.
class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      (void)hltest::internal::kvm::System{}.create_vm();
    } catch (const hltest::KvmUnavailable& unavailable) {
      if (std::getenv("HLTEST_REQUIRE_KVM") != nullptr) FAIL() << unavailable.what();
      GTEST_SKIP() << unavailable.what();
    }
  }
};

/// What a guest that starts in `mode` with `code` at 0x1000 begins with, on 1 MiB of RAM.
inline hltest::internal::Snapshot start_of(hltest::CpuMode mode, std::vector<std::uint8_t> code,
                                           const hltest::StartRegisters& start = {}) {
  using namespace hltest;
  StartState state{mode};
  state.set_memory_size(1 * kMiB);
  GuestMemory memory{1 * kMiB, mode};
  internal::MachineMemory pages{memory};
  return internal::lay_out(state, FlatImage{"code", std::move(code)}, start,
                           {.pages = pages.as_set_up(), .own_vectors = pages.own_vectors()});
}
