// Every name of an exit, every exit that is decoded, and which CPUID bits KVM keeps by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include "kvm/cpuid.h"
#include "kvm/exit.h"

#include <array>

namespace {

using namespace hltest;
using namespace hltest::internal::kvm;

// <linux/kvm.h>'s numbers, which are its contract with programs.
TEST(ExitListsTest, ReasonsHaveNames) {
  constexpr std::pair<std::uint32_t, const char*> kNames[] = {{0, "KVM_EXIT_UNKNOWN"},
                                                              {1, "KVM_EXIT_EXCEPTION"},
                                                              {2, "KVM_EXIT_IO"},
                                                              {3, "KVM_EXIT_HYPERCALL"},
                                                              {4, "KVM_EXIT_DEBUG"},
                                                              {5, "KVM_EXIT_HLT"},
                                                              {6, "KVM_EXIT_MMIO"},
                                                              {7, "KVM_EXIT_IRQ_WINDOW_OPEN"},
                                                              {8, "KVM_EXIT_SHUTDOWN"},
                                                              {9, "KVM_EXIT_FAIL_ENTRY"},
                                                              {10, "KVM_EXIT_INTR"},
                                                              {11, "KVM_EXIT_SET_TPR"},
                                                              {12, "KVM_EXIT_TPR_ACCESS"},
                                                              {16, "KVM_EXIT_NMI"},
                                                              {17, "KVM_EXIT_INTERNAL_ERROR"},
                                                              {24, "KVM_EXIT_SYSTEM_EVENT"},
                                                              {29, "KVM_EXIT_X86_RDMSR"},
                                                              {30, "KVM_EXIT_X86_WRMSR"},
                                                              {33, "KVM_EXIT_X86_BUS_LOCK"}};
  for (const auto& [reason, name] : kNames) EXPECT_EQ(exit_reason_name(reason), name);
}

class ExitLists : public ::testing::Test {
 protected:
  ExitLists() : run_(*new (area_.data()) kvm_run{}) {}
  Exit decode(std::uint32_t reason) {
    run_.exit_reason = reason;
    return decode_exit(run_, area_);
  }

  alignas(kvm_run) std::array<std::uint8_t, 8192> area_{};
  kvm_run& run_;
};

TEST_F(ExitLists, AnExitIsDecodedByItsReason) {
  EXPECT_TRUE(std::holds_alternative<IoExit>(decode(KVM_EXIT_IO)));
  EXPECT_TRUE(std::holds_alternative<DebugExit>(decode(KVM_EXIT_DEBUG)));
  EXPECT_TRUE(std::holds_alternative<MmioExit>(decode(KVM_EXIT_MMIO)));
  EXPECT_TRUE(std::holds_alternative<InterruptWindowExit>(decode(KVM_EXIT_IRQ_WINDOW_OPEN)));
  EXPECT_TRUE(std::holds_alternative<UnknownExit>(decode(KVM_EXIT_SYSTEM_EVENT)));
  run_.msr.index = 0x1B;
  run_.msr.data = 0x1122'3344'5566'7788;
  for (const std::uint32_t reason :
       {std::uint32_t{KVM_EXIT_X86_RDMSR}, std::uint32_t{KVM_EXIT_X86_WRMSR}}) {
    const auto msr = std::get<MsrExit>(decode(reason));
    EXPECT_EQ(msr.is_write, reason == KVM_EXIT_X86_WRMSR);
    EXPECT_EQ(msr.index, 0x1BU);
    EXPECT_EQ(msr.data, 0x1122'3344'5566'7788U);
  }
}

TEST_F(ExitLists, DirectionsAreTold) {
  run_.io.direction = KVM_EXIT_IO_IN;
  EXPECT_FALSE(std::get<IoExit>(decode(KVM_EXIT_IO)).is_out);
  run_.io.direction = KVM_EXIT_IO_OUT;
  EXPECT_TRUE(std::get<IoExit>(decode(KVM_EXIT_IO)).is_out);
}

TEST_F(ExitLists, AnInternalErrorHasTheDataThatItSays) {
  for (const std::uint32_t count : {0U, 1U, 16U, 17U}) {
    run_.internal.ndata = count;
    const auto error = std::get<InternalErrorExit>(decode(KVM_EXIT_INTERNAL_ERROR));
    EXPECT_EQ(error.data.size(), std::min(count, 16U));
  }
}

TEST_F(ExitLists, MmioHasUpTo8Bytes) {
  for (const std::uint32_t size : {1U, 7U, 8U, 9U}) {
    run_.mmio.len = size;
    EXPECT_EQ(std::get<MmioExit>(decode(KVM_EXIT_MMIO)).data.size(), std::min(size, 8U));
  }
}

// Of each register of these leaves, the bits that a difference is told of.
CpuidRegisters compared_bits(CpuidLeaf leaf) {
  CpuidEdits edits;
  edits.replace(leaf, {});
  CpuidRegisters compared;
  for (const auto where :
       {&CpuidRegisters::eax, &CpuidRegisters::ebx, &CpuidRegisters::ecx, &CpuidRegisters::edx}) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      CpuidEntry shown{.leaf = leaf};
      shown.registers.*where = 1U << bit;
      if (difference(edits, {CpuidEntry{.leaf = leaf}}, {shown})) compared.*where |= 1U << bit;
    }
  }
  return compared;
}

TEST(CpuidListsTest, WhatFollowsTheGuestsOwnRegistersIsNotCompared) {
  constexpr std::uint32_t kAll = ~0U;
  EXPECT_EQ(compared_bits({0}), (CpuidRegisters{kAll, kAll, kAll, kAll}));
  EXPECT_EQ(compared_bits({1}), (CpuidRegisters{kAll, kAll, ~(1U << 3U | 1U << 27U), ~(1U << 9U)}))
      << "MONITOR, OSXSAVE, APIC";
  EXPECT_EQ(compared_bits({7}), (CpuidRegisters{kAll, kAll, ~(1U << 4U), kAll})) << "OSPKE";
  EXPECT_EQ(compared_bits({0xD}), (CpuidRegisters{kAll, 0, kAll, kAll})) << "the XSAVE area";
}

TEST(CpuidListsTest, ADifferenceIsToldOfWhatWasAskedFor) {
  CpuidEdits edits;
  edits.hide({.leaf = {1}, .where = &CpuidRegisters::edx, .bit = 31});
  const CpuidEntry wanted{.leaf = {1}};
  CpuidEntry shown = wanted;
  shown.registers.edx = 0x7FFF'FFFF;
  EXPECT_EQ(difference(edits, {wanted}, {shown}), std::nullopt) << "another bit";
  shown.registers.edx = 0x8000'0000;
  EXPECT_EQ(difference(edits, {wanted}, {shown}),
            "CPUID leaf 0x1.0 would have 0x80000000 of edx's bits 0x80000000, and not 0x0");
}

TEST(CpuidListsTest, WithoutAnApicThreeBitsAreGone) {
  const CpuidRegisters all{~0U, ~0U, ~0U, ~0U};
  const auto entries =
      without_apic({{.leaf = {0}, .registers = all}, {.leaf = {1}, .registers = all}});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].registers, all);
  EXPECT_EQ(entries[1].registers, (CpuidRegisters{~0U, ~0U, ~(1U << 21U | 1U << 24U), ~(1U << 9U)}))
      << "x2APIC, TSC deadline, APIC";
}

}  // namespace
