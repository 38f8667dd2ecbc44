// A device with state: each run of a test and each replay begins with the state that it had.
#include <hltest/hltest.h>

#include "bus/device_bus.h"

#include "../message_of.h"

namespace {

using namespace hltest;
using internal::DeviceBus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// IN gives how often it was asked; OUT sets the count.
class Counter : public Device {
 public:
  std::optional<std::uint64_t> read(const Access& /*access*/, GuestView& /*guest*/) override {
    return ++count;
  }
  bool write(const Access& access, GuestView& /*guest*/) override {
    count = static_cast<std::uint8_t>(access.value);
    return true;
  }
  [[nodiscard]] std::vector<std::uint8_t> save() const override { return {count}; }
  void restore(std::span<const std::uint8_t> state) override { count = state[0]; }

  std::uint8_t count = 0;
};

TEST(DeviceBusTest, StatesGoBackToTheirDevices) {
  DeviceBus bus;
  const auto low = std::make_shared<Counter>();
  const auto high = std::make_shared<Counter>();
  bus.attach({.first = 0x80, .last = 0x83}, high);
  bus.attach({.first = 0x60, .last = 0x60}, low);
  low->count = 3;
  high->count = 7;
  const internal::DeviceStates saved = bus.save();
  low->count = high->count = 99;
  bus.restore(saved);
  EXPECT_EQ(low->count, 3);
  EXPECT_EQ(high->count, 7);

  DeviceBus other;
  other.attach({.first = 0x60, .last = 0x60}, low);
  EXPECT_EQ(message_of<SetupError>([&] { other.restore(saved); }),
            "the states of 2 devices can't be restored in 1");
}

TEST(DeviceBusTest, WhatCannotBeAttached) {
  DeviceBus bus;
  const auto device = std::make_shared<Counter>();
  bus.attach({.first = 0x60, .last = 0x64}, device);
  EXPECT_EQ(message_of<SetupError>([&] { bus.attach({.first = 0x64, .last = 0x70}, device); }),
            "a device at ports 0x64-0x70 overlaps the one at ports 0x60-0x64");
  EXPECT_EQ(message_of<SetupError>([&] { bus.attach({.first = 0x71, .last = 0x70}, device); }),
            "a device at ports 0x71-0x70: the range is empty, or wraps");
  EXPECT_EQ(message_of<SetupError>([&] { bus.attach({.first = 0x71, .last = 0x71}, nullptr); }),
            "there is no device to attach at port 0x71");
  EXPECT_THAT(message_of<SetupError>([&] {
                bus.attach({.space = Space::kMsr, .first = 0x8FF, .last = 0x900}, device);
              }),
              HasSubstr("x2APIC"));
  // The same numbers in another space are another place.
  bus.attach({.space = Space::kMmio, .first = 0x60, .last = 0x64}, device);
}

// in al, 0x60; mov bl, al; in al, 0x60; mov bh, al; hlt
const RealModeImage kReadsTwice{"reads_twice",
                                {0xE4, 0x60, 0x88, 0xC3, 0xE4, 0x60, 0x88, 0xC7, 0xF4}};

TEST_F(RealModeTest, EachRunBeginsWithTheStateBeforeTheFirst) {
  const auto counter = std::make_shared<Counter>();
  machine().attach(PortRange{0x60, 0x60}, counter);
  counter->count = 4;
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0x0605);
  EXPECT_EQ(counter->count, 6) << "after the run it is what the guest made of it";
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0x0605);
  EXPECT_EQ(rerun(kReadsTwice).registers.bx(), 0x0807) << "a warm reset leaves devices alone";
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0x0605);
}

TEST_F(RealModeTest, ADeviceThatIsAttachedLaterBeginsWithItsOwnState) {
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0xFFFF);
  const auto counter = std::make_shared<Counter>();
  machine().attach(PortRange{0x60, 0x60}, counter);
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0x0201);
  EXPECT_EQ(run(kReadsTwice).registers.bx(), 0x0201);
}

TEST_F(RealModeTest, AReplayedExceptionLeavesTheDeviceAlone) {
  const auto counter = std::make_shared<Counter>();
  machine().attach(PortRange{0x60, 0x60}, counter);
  // in al, 0x60; mov cl, al; in al, 0x60; sub al, 2; div al
  const Outcome outcome =
      run(RealModeImage{"divides", {0xE4, 0x60, 0x88, 0xC1, 0xE4, 0x60, 0x2C, 0x02, 0xF6, 0xF0}});
  ASSERT_THAT(outcome, Raised(DivideError()));
  EXPECT_EQ(counter->count, 2);
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_TRUE(diagnosis.place.has_value());
  EXPECT_EQ(diagnosis.place->registers.cl(), 1) << "what the device said the first time";
  EXPECT_FALSE(diagnosis.history.empty());
  EXPECT_EQ(counter->count, 2) << "the device is not asked again";
}

TEST_F(ProtectedModeTest, AReplayedTripleFaultLeavesTheDeviceAlone) {
  const auto counter = std::make_shared<Counter>();
  machine().attach(PortRange{0x60, 0x61}, counter);
  counter->count = 0x40;
  // in al, 0x60; out 0x61, al; in al, 0x60; mov ebx, eax; lidt [0x1013]; ud2; dq 0
  const Outcome outcome = run(ProtectedModeImage{
      "dies", {0xE4, 0x60, 0xE6, 0x61, 0xE4, 0x60, 0x89, 0xC3, 0x0F, 0x01, 0x1D, 0x13, 0x10, 0x00,
               0x00, 0x0F, 0x0B, 0x90, 0x90, 0,    0,    0,    0,    0,    0,    0,    0}});
  ASSERT_THAT(outcome, TripleFaulted());
  const Diagnosis diagnosis = diagnose(outcome);
  EXPECT_EQ(diagnosis.not_replayed, "");
  ASSERT_TRUE(diagnosis.fault.has_value());
  EXPECT_EQ(diagnosis.fault->vector, Vector::kInvalidOpcode);
  ASSERT_TRUE(diagnosis.place.has_value());
  EXPECT_EQ(diagnosis.place->registers.bl(), 0x42);
  EXPECT_EQ(counter->count, 0x42);
}

// A device may write to memory instead of answering: the replay's memory has it too.
class Dma : public Device {
 public:
  bool write(const Access& access, GuestView& guest) override {
    guest.memory().write<std::uint8_t>(
        Gpa{0x5000}, static_cast<std::uint8_t>(access.value + static_cast<unsigned>(++calls)));
    return true;
  }
  int calls = 0;
};

TEST_F(RealModeTest, AReplayHasWhatADeviceWroteToMemory) {
  const auto dma = std::make_shared<Dma>();
  machine().attach(PortRange{0x80, 0x80}, dma);
  // mov al, 5; out 0x80, al; mov bl, [0x5000]; ud2
  const Outcome outcome =
      run(RealModeImage{"dma", {0xB0, 0x05, 0xE6, 0x80, 0x8A, 0x1E, 0x00, 0x50, 0x0F, 0x0B}});
  ASSERT_THAT(outcome, Raised(InvalidOpcode()));
  EXPECT_EQ(outcome.registers.bl(), 6);
  ASSERT_EQ(outcome.accesses.memory_writes().size(), 1U);
  EXPECT_EQ(outcome.accesses.memory_writes()[0].gpa, Gpa{0x5000});
  EXPECT_THAT(outcome.accesses.memory_writes()[0].bytes, ElementsAre(6));
  EXPECT_EQ(diagnose(outcome).not_replayed, "");
  EXPECT_EQ(dma->calls, 1);
}

}  // namespace
