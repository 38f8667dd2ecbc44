// A device's interrupt is delivered once, when the guest can take it, and wakes it from HLT.
#include <hltest/hltest.h>

namespace {

using namespace hltest;
using ::testing::ElementsAre;

constexpr Vector kIrq{0x40};

// OUT requests an interrupt; the guest's handler reads what was acknowledged.
class Irq : public Device {
 public:
  bool write(const Access& access, GuestView& /*guest*/) override {
    pending = access.value != 0;
    return true;
  }
  std::optional<std::uint64_t> read(const Access& /*access*/, GuestView& /*guest*/) override {
    return acknowledged;
  }
  [[nodiscard]] std::optional<Vector> interrupt() const override {
    return pending ? std::optional{kIrq} : std::nullopt;
  }
  void acknowledge(Vector vector) override {
    EXPECT_EQ(vector, kIrq);
    pending = false;
    ++acknowledged;
  }
  [[nodiscard]] std::vector<std::uint8_t> save() const override {
    return {static_cast<std::uint8_t>(pending), acknowledged};
  }
  void restore(std::span<const std::uint8_t> state) override {
    pending = state[0] != 0;
    acknowledged = state[1];
  }

  bool pending = false;
  std::uint8_t acknowledged = 0;
};

class InterruptsTest : public RealModeTest {
 protected:
  void SetUp() override {
    RealModeTest::SetUp();
    machine().attach(PortRange{0x80, 0x80}, irq_);
    // At 0x3000: inc bx; iret
    memory().write_bytes(Gpa{0x3000}, std::array<std::uint8_t, 2>{0x43, 0xCF});
    machine().set_gate(kIrq, IvtEntry{.cs = 0, .ip = 0x3000});
    machine().set_timeout(std::chrono::milliseconds{500});
  }
  const std::shared_ptr<Irq> irq_ = std::make_shared<Irq>();
};

TEST_F(InterruptsTest, ArrivesWhenInterruptsAreEnabled) {
  // sti; mov al, 1; out 0x80, al; nop; nop; mov cx, bx; cli; hlt
  const Outcome outcome = run(
      RealModeImage{"enabled", {0xFB, 0xB0, 0x01, 0xE6, 0x80, 0x90, 0x90, 0x89, 0xD9, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cx(), 1) << "before the next instructions";
  EXPECT_EQ(outcome.registers.bx(), 1);
  EXPECT_EQ(irq_->acknowledged, 1);
  ASSERT_EQ(outcome.accesses.interrupts().size(), 1U);
  EXPECT_EQ(outcome.accesses.interrupts()[0].vector, kIrq);
  EXPECT_EQ(outcome.accesses.interrupts()[0].access, 1U);
}

TEST_F(InterruptsTest, WithoutAHandlerItIsTheCause) {
  machine().set_gate(kIrq, IvtEntry{.cs = 0xF000, .ip = static_cast<std::uint16_t>(kIrq)});
  // sti; mov al, 1; out 0x80, al; again: jmp again
  const Outcome outcome =
      run(RealModeImage{"unhandled", {0xFB, 0xB0, 0x01, 0xE6, 0x80, 0xEB, 0xFE}});
  ASSERT_THAT(outcome, Raised(kIrq));
  EXPECT_EQ(diagnose(outcome).cause,
            "a device or the test requested it, and the guest has no handler of its own");
}

// STI alone does not end emulation on some software KVMs: the guest waits for its handler.
// The frame in the handler is as it was, without the TF by which a replay steps.
TEST_F(InterruptsTest, AReplayHasItToo) {
  // At 0x3000: inc bx; mov bp, sp; mov cx, [bp+4]; iret
  memory().write_bytes(Gpa{0x3000},
                       std::array<std::uint8_t, 7>{0x43, 0x89, 0xE5, 0x8B, 0x4E, 0x04, 0xCF});
  // mov al, 1; out 0x80, al; in al, 0x80; sti; hlt; in al, 0x80; ud2
  const Outcome outcome = run(RealModeImage{
      "replayed", {0xB0, 0x01, 0xE6, 0x80, 0xE4, 0x80, 0xFB, 0xF4, 0xE4, 0x80, 0x0F, 0x0B}});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.registers.bx(), 1);
  EXPECT_EQ(outcome.registers.cx() & Rflags::kTf, 0U);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_TRUE(diagnosis.place.has_value());
  EXPECT_EQ(diagnosis.place->registers.bx(), 1);
  ASSERT_GE(diagnosis.history.size(), 6U);
  EXPECT_THAT(diagnosis.history[diagnosis.history.size() - 2].instruction,
              ::testing::HasSubstr("iret"));
  EXPECT_EQ(irq_->acknowledged, 1) << "the replay asks no device";
}

TEST_F(InterruptsTest, WaitsWhileInterruptsAreDisabled) {
  // mov al, 1; out 0x80, al; nop; in al, 0x80; mov cx, bx; mov dl, al; sti; again: test bx, bx;
  // jz again; cli; hlt
  const Outcome outcome =
      run(RealModeImage{"waits",
                        {0xB0, 0x01, 0xE6, 0x80, 0x90, 0xE4, 0x80, 0x89, 0xD9, 0x88, 0xC2, 0xFB,
                         0x85, 0xDB, 0x74, 0xFC, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cx(), 0) << "not before STI";
  EXPECT_EQ(outcome.registers.dl(), 0) << "nor acknowledged";
  EXPECT_EQ(outcome.registers.bx(), 1);
  EXPECT_EQ(irq_->acknowledged, 1);
  ASSERT_EQ(outcome.accesses.interrupts().size(), 1U);
  EXPECT_EQ(outcome.accesses.interrupts()[0].access, 1U) << "requested before the IN";
}

TEST_F(InterruptsTest, DevicesThatShareAVectorAreAcknowledgedOneByOne) {
  const auto other = std::make_shared<Irq>();
  machine().attach(PortRange{0x81, 0x81}, other);
  // mov al, 1; out 0x80, al; out 0x81, al; sti; again: cmp bx, 2; jb again; cli; hlt
  const Outcome outcome = run(RealModeImage{
      "both",
      {0xB0, 0x01, 0xE6, 0x80, 0xE6, 0x81, 0xFB, 0x83, 0xFB, 0x02, 0x72, 0xFB, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted()) << "each request is an interrupt";
  EXPECT_EQ(irq_->acknowledged, 1);
  EXPECT_EQ(other->acknowledged, 1);
}

TEST_F(InterruptsTest, NeverArrivesWithoutSti) {
  // mov al, 1; out 0x80, al; nop; hlt
  const Outcome outcome = run(RealModeImage{"never", {0xB0, 0x01, 0xE6, 0x80, 0x90, 0xF4}});
  ASSERT_THAT(outcome, Halted()) << "a HLT with IF = 0 is the end, whatever is requested";
  EXPECT_EQ(outcome.registers.bx(), 0);
  EXPECT_EQ(irq_->acknowledged, 0);
  EXPECT_TRUE(irq_->pending);
  EXPECT_TRUE(outcome.accesses.interrupts().empty());
}

TEST_F(InterruptsTest, ARequestCanBeTakenBack) {
  // mov al, 1; out 0x80, al; mov al, 0; out 0x80, al; sti; nop; nop; cli; hlt
  const Outcome outcome = run(RealModeImage{
      "taken_back",
      {0xB0, 0x01, 0xE6, 0x80, 0xB0, 0x00, 0xE6, 0x80, 0xFB, 0x90, 0x90, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 0);
}

TEST_F(InterruptsTest, WakesTheGuestFromHlt) {
  // mov al, 1; out 0x80, al; sti; hlt; mov cx, 7; cli; hlt
  const Outcome outcome = run(
      RealModeImage{"wakes", {0xB0, 0x01, 0xE6, 0x80, 0xFB, 0xF4, 0xB9, 0x07, 0x00, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.cx(), 7) << "the guest went on after the first HLT";
  EXPECT_EQ(outcome.registers.bx(), 1);
  EXPECT_EQ(irq_->acknowledged, 1);
}

// Three requests, three interrupts; a HLT without one ends the run though IF = 1.
TEST_F(InterruptsTest, EachRequestIsOneInterrupt) {
  // mov cx, 3; sti; again: mov al, 1; out 0x80, al; hlt; loop again; hlt
  const Outcome outcome = run(RealModeImage{
      "three", {0xB9, 0x03, 0x00, 0xFB, 0xB0, 0x01, 0xE6, 0x80, 0x90, 0xE2, 0xF9, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.bx(), 3);
  EXPECT_EQ(irq_->acknowledged, 3);
  EXPECT_EQ(outcome.accesses.interrupts().size(), 3U);
}

TEST_F(InterruptsTest, WithoutAHandlerItEndsTheRunThere) {
  machine().set_gate(kIrq, IvtEntry{.cs = 0xF000, .ip = 0x40});  // the framework's
  const Outcome outcome =
      run(RealModeImage{"unhandled", {0xFB, 0xB0, 0x01, 0xE6, 0x80, 0x90, 0x90, 0xF4}});
  EXPECT_THAT(outcome, Raised(kIrq));
  EXPECT_THAT(outcome, ::testing::Not(CalledInterrupt(0x40)));
}

// IRETD is beyond some software KVMs: the handler ends the run.
template <typename Fixture>
class InterruptsInEveryMode : public Fixture {};
using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(InterruptsInEveryMode, Fixtures);

TYPED_TEST(InterruptsInEveryMode, ArrivesAtTheFrameworksHandlers) {
  const auto irq = std::make_shared<Irq>();
  this->machine().attach(PortRange{0x80, 0x80}, irq);
  // mov al, 1; out 0x80, al; sti; hlt; hlt
  const Outcome outcome =
      this->run(Image<TypeParam::kMode>{"requests", {0xB0, 0x01, 0xE6, 0x80, 0xFB, 0xF4, 0xF4}});
  ASSERT_THAT(outcome, Raised(kIrq));
  EXPECT_EQ(outcome.registers.rip, 0x1006U) << "after the HLT that it woke the guest from";
  EXPECT_TRUE(outcome.registers.rflags.if_());
  EXPECT_EQ(irq->acknowledged, 1);
}

// A controller that changes its mind while the guest has interrupts disabled.
class Chooser : public Device {
 public:
  bool write(const Access& access, GuestView& /*guest*/) override {
    wanted = static_cast<std::uint8_t>(access.value);
    return true;
  }
  [[nodiscard]] std::optional<Vector> interrupt() const override {
    return wanted != 0 ? std::optional{Vector{wanted}} : std::nullopt;
  }
  void acknowledge(Vector /*vector*/) override { wanted = 0; }
  [[nodiscard]] std::vector<std::uint8_t> save() const override { return {wanted}; }
  void restore(std::span<const std::uint8_t> state) override { wanted = state[0]; }

  std::uint8_t wanted = 0;
};

TEST_F(InterruptsTest, TheLogHasTheVectorThatWasDelivered) {
  machine().attach(PortRange{0x81, 0x81}, std::make_shared<Chooser>());
  // mov al, 0x41; out 0x81, al; mov al, 0x40; out 0x81, al; sti; again: test bx, bx; jz again; cli;
  // hlt
  const Outcome outcome = run(RealModeImage{
      "chooser",
      {0xB0, 0x41, 0xE6, 0x81, 0xB0, 0x40, 0xE6, 0x81, 0xFB, 0x85, 0xDB, 0x74, 0xFC, 0xFA, 0xF4}});
  ASSERT_THAT(outcome, Halted());
  ASSERT_EQ(outcome.accesses.interrupts().size(), 1U);
  EXPECT_EQ(outcome.accesses.interrupts()[0].vector, kIrq);
  EXPECT_EQ(outcome.accesses.interrupts()[0].access, 2U) << "requested by the second OUT";
}

class Told : public Device {
 public:
  void halted(GuestView& /*guest*/) override { ++times; }
  int times = 0;
};

TEST_F(RealModeTest, ADeviceIsToldOfHltsThatAnInterruptCanEnd) {
  const auto device = std::make_shared<Told>();
  machine().attach(PortRange{0x60, 0x60}, device);
  EXPECT_THAT(run(RealModeImage{"cli", {0xFA, 0xF4}}), Halted());
  EXPECT_EQ(device->times, 0);
  EXPECT_THAT(run(RealModeImage{"sti", {0xFB, 0xF4}}), Halted());
  EXPECT_EQ(device->times, 1);
}

}  // namespace
