// An observer that serves software interrupts at the framework's handlers, as a BIOS would.
#include "start_of.h"

#include "bus/device_bus.h"
#include "vm/run.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using ::testing::ElementsAre;

class Bios : public Observer {
 public:
  explicit Bios(Vector served) : served_(served) {}

  [[nodiscard]] bool serves_handlers() const override { return true; }
  bool on_handler(ServiceCall& call, GuestView& guest) override {
    calls.push_back({call.vector, call.before.rax & 0xFFFF});
    before = call.before;
    if (call.vector != served_) return false;
    call.after.rax = 0x1234;
    call.after.rflags.value |= Rflags::kCf;
    guest.memory().write<std::uint16_t>(Gpa{0x5000}, 0xAA55);
    return true;
  }

  std::vector<std::pair<Vector, std::uint64_t>> calls;
  Registers before;

 private:
  Vector served_;
};

class ServedHandlersTest : public EngineTest {
 protected:
  Ending run_with(Observer& observer, Guest& guest) {
    Observer* const observers[] = {&observer};
    return run(guest, bus_, {}, observers);
  }
  DeviceBus bus_;
};

constexpr Vector kDisk{0x13};

TEST_F(ServedHandlersTest, TheGuestGoesOnAfterTheInt) {
  // mov ax, 0x201; int 0x13; mov bx, ax; sbb cx, cx; mov dx, [0x5000]; mov ax, 0x202; int 0x13; hlt
  Guest guest{
      start_of(CpuMode::kReal16, {0xB8, 0x01, 0x02, 0xCD, 0x13, 0x89, 0xC3, 0x19, 0xC9, 0x8B, 0x16,
                                  0x00, 0x50, 0xB8, 0x02, 0x02, 0xCD, 0x13, 0xF4})};
  Bios bios{kDisk};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(bios, guest)));
  EXPECT_THAT(bios.calls, ElementsAre(std::pair{kDisk, 0x201U}, std::pair{kDisk, 0x202U}));
  const Registers& end = guest.registers();
  EXPECT_EQ(end.ip(), 0x1013) << "after its own HLT";
  EXPECT_EQ(end.bx(), 0x1234);
  EXPECT_EQ(end.cx(), 0xFFFF) << "CF is the guest's";
  EXPECT_EQ(end.dx(), 0xAA55);
  EXPECT_EQ(end.sp(), 0xFFF0) << "the frame is gone";
}

TEST_F(ServedHandlersTest, TheRegistersAreThoseFromBefore) {
  // sti; int 0x13; hlt
  Guest guest{start_of(CpuMode::kReal16, {0xFB, 0xCD, 0x13, 0xF4}, {.rbx = 0x77})};
  Bios bios{kDisk};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(bios, guest)));
  EXPECT_EQ(bios.before.ip(), 0x1003) << "after the INT";
  EXPECT_EQ(bios.before.sp(), 0xFFF0);
  EXPECT_EQ(bios.before.bx(), 0x77);
  EXPECT_TRUE(bios.before.rflags.if_()) << "INT has cleared IF since";
  EXPECT_TRUE(guest.registers().rflags.if_());
}

TEST_F(ServedHandlersTest, AnotherInterruptEndsTheRun) {
  // int 0x10; int 0x13; hlt
  Guest guest{start_of(CpuMode::kReal16, {0xCD, 0x10, 0xCD, 0x13, 0xF4})};
  Bios bios{kDisk};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(bios, guest)));
  EXPECT_THAT(bios.calls, ElementsAre(std::pair{Vector{0x10}, 0U}));
  EXPECT_EQ(guest.registers().code_address(), guest.handlers() + 0x11);
}

// A HLT of the guest's own is no handler, whatever the observer serves.
TEST_F(ServedHandlersTest, AHaltIsNotServed) {
  Guest guest{start_of(CpuMode::kReal16, {0xF4})};
  Bios bios{kDisk};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(bios, guest)));
  EXPECT_TRUE(bios.calls.empty());
}

// A fault arrives with RIP at its instruction: an observer that moves it on is an emulator.
class Skips : public Observer {
 public:
  explicit Skips(unsigned length) : length_(length) {}
  [[nodiscard]] bool serves_handlers() const override { return true; }
  bool on_handler(ServiceCall& call, GuestView& /*guest*/) override {
    ++calls;
    call.after.rip += length_;
    call.after.rbx = 0x99;
    return true;
  }
  unsigned calls = 0;

 private:
  unsigned length_;
};

class ServedFaultTest : public ServedHandlersTest, public ::testing::WithParamInterface<CpuMode> {};

TEST_P(ServedFaultTest, TheGuestGoesOnAfterTheFault) {
  // ud2; hlt
  Guest guest{start_of(GetParam(), {0x0F, 0x0B, 0xF4}, {.rbx = 1})};
  const std::uint64_t stack = guest.registers().rsp;
  const Segment code = guest.registers().cs;
  Skips skips{2};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(skips, guest)));
  EXPECT_EQ(skips.calls, 1U);
  EXPECT_EQ(guest.registers().rip, 0x1003U);
  EXPECT_EQ(guest.registers().rbx, 0x99U);
  EXPECT_EQ(guest.registers().rsp, stack);
  EXPECT_EQ(guest.registers().cs, code);
}
INSTANTIATE_TEST_SUITE_P(EveryMode, ServedFaultTest,
                         ::testing::Values(CpuMode::kReal16, CpuMode::kProtected32,
                                           CpuMode::kLong64),
                         [](const auto& mode) { return to_string(mode.param); });

class ServedIntTest : public ServedHandlersTest, public ::testing::WithParamInterface<CpuMode> {};

// INT n outside real mode is beyond some software KVMs.
TEST_P(ServedIntTest, TheGuestGoesOnAfterTheInt) {
  if (const HostCan can{Ability::kSoftwareInterrupts}; !can) GTEST_SKIP() << can.reason;
  // int 0x13; mov ebx, eax; hlt
  Guest guest{start_of(GetParam(), {0xCD, 0x13, 0x89, 0xC3, 0xF4})};
  Bios bios{kDisk};
  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(run_with(bios, guest)));
  EXPECT_EQ(guest.registers().rip, 0x1005U);
  EXPECT_EQ(guest.registers().ebx(), 0x1234U);
}
INSTANTIATE_TEST_SUITE_P(ProtectedModes, ServedIntTest,
                         ::testing::Values(CpuMode::kProtected32, CpuMode::kLong64),
                         [](const auto& mode) { return to_string(mode.param); });

}  // namespace
