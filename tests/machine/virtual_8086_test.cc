// Virtual-8086 mode, entered by IRET from protected mode. Not every KVM can run it: a probe asks.
#include <hltest/hltest.h>

#include "guests/protected_mode.h"

namespace {

using namespace hltest;

constexpr std::uint64_t kIopl3 = 3U << 12U;

class Virtual8086Test : public ProtectedModeTest {
 protected:
  void SetUp() override {
    ProtectedModeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (const HostCan can{Ability::kVirtual8086}; !can) GTEST_SKIP() << can.reason;
  }
};

TEST_F(Virtual8086Test, RunsToHltWithItsSegments) {
  const Outcome outcome = run(guests::iret_to_virtual_8086);

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(mode_name(outcome.registers), "virtual8086_user");
  EXPECT_EQ(outcome.registers.ax(), 0x8086);
  EXPECT_EQ(memory().read<std::uint16_t>(Gpa{0x30010}), 0x8086);
  EXPECT_EQ(outcome.registers.cs.base, Gva{0x20000});
  EXPECT_EQ(outcome.registers.ds.selector, 0x2000);
  EXPECT_EQ(outcome.registers.es.base, Gva{0x30000});
  EXPECT_EQ(outcome.registers.sp(), 0xFFF0);
  EXPECT_EQ(outcome.registers.cpl(), 3U);
  EXPECT_EQ(mode_name(outcome.start), "protected32");
}

TEST_F(Virtual8086Test, AFaultGoesToTheFrameworksHandlers) {
  memory().write_bytes(Gpa{0x20100}, std::vector<std::uint8_t>{0x31, 0xC9, 0xF7, 0xF1});
  // As the guest does it, but to where DIV by 0 is: push the frame, IRET.
  const Outcome outcome = run(ProtectedModeImage{
      "to_div", {0x6A, 0x00, 0x6A, 0x00, 0x6A, 0x00, 0x6A, 0x00,              // GS, FS, DS, ES
                 0x68, 0x00, 0x20, 0x00, 0x00, 0x68, 0xF0, 0xFF, 0x00, 0x00,  // SS, ESP
                 0x68, 0x02, 0x00, 0x02, 0x00,                                // EFLAGS: VM
                 0x68, 0x00, 0x20, 0x00, 0x00, 0x68, 0x00, 0x01, 0x00, 0x00,  // CS, EIP
                 0xCF}});
  EXPECT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(outcome.registers.cs.selector, 0x2000);
  EXPECT_EQ(outcome.registers.ip(), 0x102);
  EXPECT_EQ(mode_name(outcome.registers), "virtual8086_user");
}

TEST_F(Virtual8086Test, IoplLetsItTouchTheInterruptFlag) {
  // CLI in place of the first instruction is refused without IOPL 3.
  std::vector<std::uint8_t> bytes(guests::iret_to_virtual_8086.bytes().begin(),
                                  guests::iret_to_virtual_8086.bytes().end());
  const std::size_t first = bytes.size() - 8;  // mov ax, imm16; mov [es:imm16], ax; hlt
  bytes.at(first) = 0xFA;
  bytes.at(first + 1) = 0xF4;
  const ProtectedModeImage cli{"cli", bytes};
  EXPECT_THAT(run(cli), Raised(GeneralProtection{.error_code = 0}));
  EXPECT_THAT(run(cli, {.rbx = kIopl3}), Halted());
}

}  // namespace
