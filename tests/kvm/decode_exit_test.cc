// kvm_run's contents as exits: without a guest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include "kvm/exit.h"

#include <array>
#include <cstring>

namespace {

using namespace hltest;
using namespace hltest::internal::kvm;

class DecodeExitTest : public ::testing::Test {
 protected:
  DecodeExitTest() : run_(*new (area_.data()) kvm_run{}) {}
  Exit decode() { return decode_exit(run_, area_); }

  alignas(kvm_run) std::array<std::uint8_t, 8192> area_{};
  kvm_run& run_;
};

TEST_F(DecodeExitTest, IoHasItsDataFromTheMapping) {
  run_.exit_reason = KVM_EXIT_IO;
  run_.io.direction = KVM_EXIT_IO_OUT;
  run_.io.port = 0x3F8;
  run_.io.size = 2;
  run_.io.count = 3;
  run_.io.data_offset = 4096;
  const std::array<std::uint8_t, 6> data = {1, 2, 3, 4, 5, 6};
  std::memcpy(area_.data() + 4096, data.data(), data.size());
  const auto io = std::get<IoExit>(decode());
  EXPECT_TRUE(io.is_out);
  EXPECT_EQ(io.port, 0x3F8);
  EXPECT_EQ(io.size, 2);
  EXPECT_EQ(io.count, 3U);
  EXPECT_THAT(io.data, ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(DecodeExitTest, MmioIsNeverMoreThanEightBytes) {
  run_.exit_reason = KVM_EXIT_MMIO;
  run_.mmio.phys_addr = 0xFEE00000;
  run_.mmio.len = 200;
  run_.mmio.is_write = 1;
  const auto mmio = std::get<MmioExit>(decode());
  EXPECT_EQ(mmio.gpa, Gpa{0xFEE00000});
  EXPECT_EQ(mmio.data.size(), 8U);
  EXPECT_TRUE(mmio.is_write);
}

TEST_F(DecodeExitTest, InternalErrorHasNoMoreDataThanThereIsRoomFor) {
  run_.exit_reason = KVM_EXIT_INTERNAL_ERROR;
  run_.internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
  run_.internal.ndata = 1000;
  const auto error = std::get<InternalErrorExit>(decode());
  EXPECT_EQ(error.suberror, 3U);
  EXPECT_EQ(error.data.size(), 16U);
}

TEST_F(DecodeExitTest, OtherReasons) {
  run_.exit_reason = KVM_EXIT_HLT;
  EXPECT_TRUE(std::holds_alternative<HltExit>(decode()));
  run_.exit_reason = KVM_EXIT_SHUTDOWN;
  EXPECT_TRUE(std::holds_alternative<ShutdownExit>(decode()));
  run_.exit_reason = KVM_EXIT_INTR;
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(decode()));
  run_.exit_reason = KVM_EXIT_FAIL_ENTRY;
  run_.fail_entry.hardware_entry_failure_reason = 0x80000021;
  EXPECT_EQ(std::get<FailEntryExit>(decode()).hardware_entry_failure_reason, 0x80000021U);
  run_.exit_reason = 12345;
  EXPECT_EQ(std::get<UnknownExit>(decode()).reason, 12345U);
  EXPECT_EQ(exit_reason_name(12345), "KVM exit reason 12345");
  EXPECT_EQ(exit_reason_name(KVM_EXIT_SHUTDOWN), "KVM_EXIT_SHUTDOWN");
}

}  // namespace
