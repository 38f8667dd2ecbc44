// A snapshot holds all of a guest, and `restore` brings every part of it back.
#include "start_of.h"

#include "bus/device_bus.h"
#include "vm/guest.h"
#include "vm/run.h"

#include <algorithm>
#include <array>

namespace {

using namespace hltest;
using namespace hltest::internal;

// The guest halts at once, so that its state can be saved again after it has run.
const std::vector<std::uint8_t> kHalt{0xF4};

class SnapshotTest : public EngineTest {
 protected:
  // A guest whose state differs from that of a new vCPU in everything that KVM can be asked for.
  static Guest changed_guest() {
    Guest guest{start_of(CpuMode::kLong64, kHalt)};
    Registers registers = guest.registers();
    registers.rax = 0x1111'2222'3333'4444;
    registers.r15 = 0xFFFF'EEEE'DDDD'CCCC;
    registers.rflags = Rflags{0x8D7};
    registers.fs = Segment::flat_data(kUserDataSelector);
    registers.fs.base = Gva{0x1234'5678'9000};
    registers.gs.base = Gva{0xFFFF'8000'0000'1000};
    registers.es = Segment::flat_data(kStackSelector);
    registers.cr2 = Gva{0x7000'1234};
    registers.cr8 = 5;
    registers.gdt.limit = 0x7F;
    registers.idt.limit = 0x1FF;
    guest.set_registers(registers);
    guest.vcpu().set_xstate(changed_xstate(guest.vcpu().xstate()));
    guest.vcpu().set_debug_registers(
        {.dr = {0x1000, 0x2000, 0x3000, 0xFFFF'8000'0000'0000}, .dr6 = 0xFFFF'4FF1, .dr7 = 0x700});
    const std::array msrs = {MsrValue{Msr::kIa32Lstar, 0xFFFF'8000'0000'2000},
                             MsrValue{Msr::kIa32KernelGsBase, 0x55AA'0000},
                             MsrValue{Msr::kIa32SysenterEip, 0x1234},
                             MsrValue{Msr::kIa32Pat, 0x0606'0606'0606'0606},
                             MsrValue{Msr{0x200}, 0x1000'0006}};  // IA32_MTRR_PHYSBASE0
    EXPECT_EQ(guest.vcpu().set_msrs(msrs), std::nullopt);
    guest.vcpu().set_pending_events({.nmi = {.masked = true}});
    const std::array<std::uint8_t, 3> bytes{1, 2, 3};
    guest.memory().write(Gpa{0x2FFF}, bytes);
    guest.memory().write(Gpa{0xFFFFD}, bytes);
    for (int i = 0; i < 7; ++i) guest.count_access();
    return guest;
  }

  static XState changed_xstate(XState state) {
    const bool has_avx = [] {
      const kvm::System system;
      return ((kvm::answer(system.supported_cpuid(), {.leaf = 1}).ecx >> 28U) & 1U) != 0;
    }();
    state.xcr0 = has_avx ? 7 : 3;
    for (unsigned i = 0; i < 16; ++i) {
      std::array<std::uint8_t, 16> value{};
      value.fill(static_cast<std::uint8_t>(0xA0 + i));
      state.set_xmm(i, value);
    }
    state.area.at(0) = 0x3F;  // FCW = 0x23F
    state.area.at(1) = 0x02;
    state.area.at(25) = 0x5F;  // MXCSR = 0x5F80
    state.area.at(32) = 0x77;  // ST0
    if (has_avx) {
      state.area.at(512) |= 4;
      for (std::size_t i = 576; i < 576 + 256; ++i) state.area.at(i) = static_cast<std::uint8_t>(i);
    }
    return state;
  }

  static void expect_same(const Snapshot& actual, const Snapshot& expected) {
    EXPECT_EQ(actual.registers, expected.registers);
    ASSERT_TRUE(actual.xstate && expected.xstate);
    EXPECT_EQ(actual.xstate->xcr0, expected.xstate->xcr0);
    EXPECT_EQ(actual.xstate->area, expected.xstate->area);
    EXPECT_TRUE(actual.debug_registers == expected.debug_registers);
    EXPECT_TRUE(actual.events == expected.events);
    ASSERT_EQ(actual.msrs.size(), expected.msrs.size());
    for (std::size_t i = 0; i < actual.msrs.size(); ++i) {
      EXPECT_EQ(actual.msrs[i].msr, expected.msrs[i].msr);
      EXPECT_EQ(actual.msrs[i].value, expected.msrs[i].value) << to_string(actual.msrs[i].msr);
    }
    EXPECT_TRUE(actual.memory.holds_the_same_as(expected.memory));
    EXPECT_TRUE(actual.served_msrs == expected.served_msrs);
    EXPECT_EQ(actual.accesses, expected.accesses);
    EXPECT_EQ(actual.began_with, expected.began_with);
  }
};

std::uint64_t msr_of(const Snapshot& snapshot, Msr msr) {
  const auto found = std::ranges::find(snapshot.msrs, msr, &MsrValue::msr);
  return found != snapshot.msrs.end() ? found->value : ~0ULL;
}

// What `save` leaves out would be equal on both sides: so the values are looked for first.
TEST_F(SnapshotTest, SaveFindsEverything) {
  Guest guest = changed_guest();
  const Snapshot saved = guest.save();
  EXPECT_EQ(saved.registers.rax, 0x1111'2222'3333'4444U);
  EXPECT_EQ(saved.registers.fs.base, Gva{0x1234'5678'9000});
  EXPECT_EQ(saved.registers.cr2, Gva{0x7000'1234});
  EXPECT_EQ(saved.registers.cr8, 5U);
  ASSERT_TRUE(saved.xstate && saved.debug_registers && saved.events);
  EXPECT_EQ(saved.xstate->fcw(), 0x23F);
  EXPECT_EQ(saved.xstate->mxcsr(), 0x5F80U);
  EXPECT_EQ(saved.xstate->xmm(15)[3], 0xAF);
  EXPECT_GE(saved.xstate->xcr0, 3U);
  EXPECT_EQ(saved.xstate->area.at(32), 0x77);
  if (saved.xstate->xcr0 == 7) {
    EXPECT_EQ(saved.xstate->area.at(600), 600 & 0xFF);
  }
  EXPECT_EQ(saved.debug_registers->dr.at(3), 0xFFFF'8000'0000'0000U);
  EXPECT_EQ(saved.debug_registers->dr7, 0x700U);
  EXPECT_TRUE(saved.events->nmi.masked);
  EXPECT_EQ(msr_of(saved, Msr::kIa32Lstar), 0xFFFF'8000'0000'2000U);
  EXPECT_EQ(msr_of(saved, Msr::kIa32Pat), 0x0606'0606'0606'0606U);
  EXPECT_EQ(msr_of(saved, Msr{0x200}), 0x1000'0006U);
  EXPECT_EQ(saved.memory.read(Gpa{0x2FFE}, 5), (std::vector<std::uint8_t>{0, 1, 2, 3, 0}));
  EXPECT_EQ(saved.accesses, 7U);
}

TEST_F(SnapshotTest, ANewGuestHasAllOfIt) {
  Guest guest = changed_guest();
  const Snapshot saved = guest.save();
  Guest other{saved};
  expect_same(other.save(), saved);
}

// In place, over a guest that has run and whose state is another one throughout.
TEST_F(SnapshotTest, AUsedGuestHasAllOfIt) {
  Guest guest = changed_guest();
  const Snapshot saved = guest.save();
  Guest other{start_of(CpuMode::kReal16, {0xC6, 0x06, 0x00, 0x50, 0x77, 0xF4})};
  DeviceBus bus;
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run(other, bus, {})));
  other.restore(saved);
  expect_same(other.save(), saved);
  EXPECT_EQ(other.memory().read(Gpa{0x5000}, 1), std::vector<std::uint8_t>{0});
}

TEST_F(SnapshotTest, AGuestGoesBackInPlace) {
  // inc byte [0x5000]; out 0x80, al; hlt
  Guest guest{start_of(CpuMode::kReal16, {0xFE, 0x06, 0x00, 0x50, 0xE6, 0x80, 0xF4})};
  const Snapshot start = guest.save();
  DeviceBus bus;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run(guest, bus, {})));
    EXPECT_EQ(guest.memory().read(Gpa{0x5000}, 1), std::vector<std::uint8_t>{1});
    EXPECT_EQ(guest.accesses(), 1U);
    guest.restore(start);
    expect_same(guest.save(), start);
  }
}

// Also pages that held nothing when it came back.
TEST_F(SnapshotTest, WhatAGuestWroteAfterItCameBackIsSaved) {
  // mov byte [0x8000], 7; hlt
  const Snapshot start = start_of(CpuMode::kReal16, {0xC6, 0x06, 0x00, 0x80, 0x07, 0xF4});
  Guest guest;
  for (int i = 0; i < 2; ++i) {
    guest.restore(start);
    DeviceBus bus;
    EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run(guest, bus, {})));
    EXPECT_EQ(guest.save().memory.read(Gpa{0x8000}, 1).at(0), 7);
  }
}

// The vCPU of a guest that shut down is of no use on every KVM.
TEST_F(SnapshotTest, AGuestThatShutDownComesBack) {
  Guest guest = changed_guest();
  const Snapshot saved = guest.save();
  // lidt [empty]; ud2; empty: dq 0, 0
  guest.restore(start_of(CpuMode::kProtected32, {0x0F, 0x01, 0x1D, 0x09, 0x10, 0x00, 0x00, 0x0F,
                                                 0x0B, 0, 0, 0, 0, 0, 0, 0, 0}));
  DeviceBus bus;
  EXPECT_FALSE(std::holds_alternative<kvm::HltExit>(run(guest, bus, {})));
  guest.restore(saved);
  expect_same(guest.save(), saved);
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run(guest, bus, {})));
}

TEST_F(SnapshotTest, AnInterruptOnItsWayArrives) {
  // The handler for vector 0x40 is a HLT of the framework's; the code itself spins.
  Guest guest{start_of(CpuMode::kReal16, {0xEB, 0xFE})};
  guest.vcpu().set_pending_events({.interrupt = {.injected = true, .vector = 0x40}});
  const Snapshot saved = guest.save();
  ASSERT_TRUE(saved.events);
  EXPECT_TRUE(saved.events->interrupt.injected);
  EXPECT_EQ(saved.events->interrupt.vector, 0x40);
  Guest other{saved};
  expect_same(other.save(), saved);
  DeviceBus bus;
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run(other, bus, {})));
  EXPECT_EQ(other.registers().code_address(), other.handlers() + 0x41);
}

// A copy shares pages with the guest's earlier snapshot; it must not change with it.
TEST_F(SnapshotTest, LaterChangesLeaveASnapshotAlone) {
  Guest guest = changed_guest();
  const Snapshot first = guest.save();
  const std::array<std::uint8_t, 1> byte{0x99};
  guest.memory().write(Gpa{0x3000}, byte);
  const Snapshot second = guest.save(&first);
  guest.memory().write(Gpa{0x2FFF}, byte);
  EXPECT_EQ(first.memory.read(Gpa{0x2FFF}, 2), (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(second.memory.read(Gpa{0x2FFF}, 2), (std::vector<std::uint8_t>{1, 0x99}));
  EXPECT_FALSE(first.memory.holds_the_same_as(second.memory));
}

}  // namespace
