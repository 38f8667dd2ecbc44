// Below 0x400 and in the BIOS ROM segment, a test's data and the framework's tables share memory.
#include <hltest/hltest.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

constexpr std::array<std::uint8_t, 4> kData{0x11, 0x22, 0x33, 0x44};

TEST_F(RealModeTest, DataBelow400hSurvives) {
  memory().write_bytes(Gpa{0x200}, kData);  // vector 0x80
  memory().write_bytes(Gpa{0x3FE}, kData);  // half of vector 0xFF, and beyond
  // mov eax, [0x200]; mov ebx, [0x3FE]; hlt
  const Outcome outcome =
      run(RealModeImage{"reads", {0x66, 0xA1, 0x00, 0x02, 0x66, 0x8B, 0x1E, 0xFE, 0x03, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.eax(), 0x44332211U);
  EXPECT_EQ(outcome.registers.ebx(), 0x44332211U);
  EXPECT_THAT(memory(), HasBytes(Gpa{0x200}, {0x11, 0x22, 0x33, 0x44}));
}

// The vectors beside it are still the framework's.
TEST_F(RealModeTest, OtherVectorsAreStillHandled) {
  memory().write_bytes(Gpa{0x4}, kData);  // #DB
  const RealModeImage undefined{"ud2", {0x0F, 0x0B}};
  EXPECT_THAT(run(undefined), Raised(InvalidOpcode()));
  EXPECT_THAT(run(RealModeImage{"div", {0xF6, 0xF3}}), Raised(DivideError()));
  EXPECT_THAT(memory(), HasBytes(Gpa{0x4}, {0x11, 0x22, 0x33, 0x44}));
}

TEST_F(RealModeTest, ATestsVectorLeadsToTheTestsHandler) {
  // 0000:2000: mov bx, 7; hlt
  memory().write_bytes(Gpa{0x2000}, std::array<std::uint8_t, 4>{0xBB, 0x07, 0x00, 0xF4});
  memory().write<std::uint32_t>(Gpa{6 * 4}, 0x2000);
  const Outcome outcome = run(RealModeImage{"ud2", {0x0F, 0x0B}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 7);
}

TEST_F(RealModeTest, ATestsVectorIsKeptWhenTheMemoryIsResized) {
  // 0000:2000: mov bx, 7; hlt
  memory().write_bytes(Gpa{0x2000}, std::array<std::uint8_t, 4>{0xBB, 0x07, 0x00, 0xF4});
  memory().write<std::uint32_t>(Gpa{6 * 4}, 0x2000);
  machine().set_memory_size(32 * kMiB);
  const Outcome outcome = run(RealModeImage{"ud2", {0x0F, 0x0B}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 7);
}

// KVM's emulator gives up at bytes that are no instruction; the guest's own #UD handler runs.
template <typename Fixture>
class NoInstruction : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(NoInstruction, Fixtures);

TYPED_TEST(NoInstruction, RunsTheGuestsOwnHandler) {
  constexpr CpuMode kStart = TypeParam::kMode;
  // At 0x2000: mov bl, 7; hlt
  this->memory().write_bytes(Gpa{0x2000}, std::array<std::uint8_t, 3>{0xB3, 0x07, 0xF4});
  if constexpr (kStart == CpuMode::kReal16) {
    this->machine().set_gate(Vector::kInvalidOpcode, IvtEntry{.cs = 0, .ip = 0x2000});
  } else if constexpr (kStart == CpuMode::kProtected32) {
    this->machine().set_gate(Vector::kInvalidOpcode,
                             InterruptGate32{.selector = kCode32Selector, .offset = 0x2000});
  } else {
    this->machine().set_gate(Vector::kInvalidOpcode,
                             InterruptGate64{.selector = kCode64Selector, .offset = 0x2000});
  }
  // 0F 04 is no instruction of any processor with long mode.
  const Outcome outcome = this->run(Image<kStart>{"undefined", {0x0F, 0x04, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 7);
}

TYPED_TEST(NoInstruction, IsInvalidOpcodeWithoutAHandler) {
  const Outcome outcome = this->run(Image<TypeParam::kMode>{"undefined", {0x90, 0x0F, 0x04, 0xF4}});
  EXPECT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.stop_address(), Gva{0x1001});
}

// mov ax, 0xF200; mov ds, ax; inc byte [0]; mov bl, [0]; hlt
const RealModeImage kIncrementsRom{
    "increments_rom",
    {0xB8, 0x00, 0xF2, 0x8E, 0xD8, 0xFE, 0x06, 0x00, 0x00, 0x8A, 0x1E, 0x00, 0x00, 0xF4}};

TEST_F(RealModeTest, TheRomIsReadOnly) {
  memory().write<std::uint8_t>(Gpa{0xF2000}, 0x30);
  const Outcome outcome = run(kIncrementsRom);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 0x30);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0xF2000}), 0x30);
  ASSERT_EQ(outcome.mmio.size(), 1U) << "the write is told";
  EXPECT_EQ(outcome.mmio[0].gpa(), Gpa{0xF2000});
  EXPECT_EQ(outcome.mmio[0].value, 0x31U);
}

TEST_F(RealModeTest, TheRomCanBeRam) {
  machine().set_rom_writable(true);
  memory().write<std::uint8_t>(Gpa{0xF2000}, 0x30);
  const Outcome outcome = run(kIncrementsRom);
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bl(), 0x31);
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0xF2000}), 0x31);
  EXPECT_TRUE(outcome.mmio.empty());
  EXPECT_EQ(run(kIncrementsRom).registers.bl(), 0x31) << "a run starts from what the test wrote";
}

TEST_F(RealModeTest, TheRomsEndIsTheTests) {
  // A PC starts at F000:FFF0: jmp 0000:1000
  memory().write_bytes(Gpa{0xFFFF0}, std::array<std::uint8_t, 5>{0xEA, 0x00, 0x10, 0x00, 0x00});
  machine().registers().cs = Segment::real_mode(0xF000);
  machine().registers().rip = 0xFFF0;
  EXPECT_THAT(run(RealModeImage{"halt", {0xF4}}), Halted());
}

TEST_F(RealModeTest, TheFrameworksPartOfTheRomIsNotTheTests) {
  EXPECT_THAT(message_of<MemoryError>([&] { memory().write<std::uint8_t>(Gpa{0xF1FFF}, 0); }),
              HasSubstr("0xf0000 to 0xf1fff belongs to the framework"));
}

// A guest without an interrupt controller must not look for one. mov eax, 1; cpuid; hlt
TEST_F(LongModeTest, CpuidShowsNoApic) {
  const Outcome outcome =
      run(LongModeImage{"cpuid", {0xB8, 0x01, 0x00, 0x00, 0x00, 0x0F, 0xA2, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  const auto bit = [](std::uint64_t value, unsigned index) { return (value >> index & 1U) != 0; };
  EXPECT_FALSE(bit(outcome.registers.rdx, kCpuidApic.bit));
  EXPECT_FALSE(bit(outcome.registers.rcx, kCpuidX2apic.bit));
  EXPECT_FALSE(bit(outcome.registers.rcx, 24)) << "TSC deadline";
  EXPECT_TRUE(bit(outcome.registers.rdx, kCpuidMsr.bit)) << "the rest is the host's";
}

// KVM's emulator gives up each time, and each time the handler lets the guest go on.
TEST_F(RealModeTest, AHandlerOfUndefinedCodeIsCalledEveryTime) {
  // At 0x3000: inc bx; mov bp, sp; add word [bp], 2; iret
  memory().write_bytes(Gpa{0x3000},
                       std::array<std::uint8_t, 8>{0x43, 0x89, 0xE5, 0x83, 0x46, 0x00, 0x02, 0xCF});
  machine().set_gate(Vector::kInvalidOpcode, IvtEntry{.cs = 0, .ip = 0x3000});
  // mov cx, 3; again: lea ax, cx (which does not exist); dec cx; jnz again; hlt
  const Outcome outcome =
      run(RealModeImage{"again", {0xB9, 0x03, 0x00, 0x8D, 0xC1, 0x49, 0x75, 0xFB, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 3);
}

}  // namespace
