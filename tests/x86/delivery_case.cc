#include "delivery_case.h"
#include <gmock/gmock.h>
#include "x86/causes/delivery.h"

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;

namespace {

// Linear addresses are physical ones, and those outside memory are not mapped.
PageWalk identity(const Guest& guest, Gva gva) {
  PageWalk walk{.gva = gva, .gpa = Gpa{gva.value()}, .flags = kReadWrite};
  const std::uint64_t page = gva.value() & ~0xFFFULL;
  if (gva.value() >= guest.memory.size()) walk.end = WalkEnd::kNotPresent;
  if (page == DeliveryCase::kReadOnlyPage) walk.flags = kReadOnly;
  if (page == DeliveryCase::kNoExecutePage) walk.flags = kReadWrite | kNoExecute;
  return walk;
}

}  // namespace

void expect_obstacle(const DeliveryCase& each) {
  Guest guest;
  if (each.is_64_bit) guest.enter_64_bit();
  guest.put_gate(
      Vector::kInvalidOpcode,
      each.is_64_bit
          ? Descriptor{InterruptGate64{.selector = 0x08, .offset = DeliveryCase::kHandler}}
          : Descriptor{InterruptGate32{.selector = 0x08, .offset = DeliveryCase::kHandler}});
  guest.put(Guest::kTss + 4, Guest::kStack, guest.registers.efer.lma() ? 8 : 4);
  if (!each.is_64_bit) guest.put(Guest::kTss + 8, 0x10, 4);
  each.arrange(guest);
  const std::string obstacle = obstacle_to_delivery(
      Vector::kInvalidOpcode, guest.registers, [&](Gva gva) { return identity(guest, gva); },
      [&](Gva gva, std::size_t count) { return guest.read(gva.value(), count); });
  if (*each.obstacle == '\0') {
    EXPECT_EQ(obstacle, "");
  } else {
    EXPECT_THAT(obstacle, ::testing::EndsWith(each.obstacle));
  }
}

std::function<void(Guest&)> gate(const Descriptor& descriptor) {
  return [=](Guest& guest) { guest.put_gate(Vector::kInvalidOpcode, descriptor); };
}
// Through a gate to the entry at 0x30.
std::function<void(Guest&)> handler_in(const Descriptor& code, unsigned cpl) {
  return [=](Guest& guest) {
    guest.put_descriptor(0x30, code);
    guest.registers.ss.dpl = static_cast<std::uint8_t>(cpl);
    guest.put_gate(
        Vector::kInvalidOpcode,
        guest.registers.efer.lma()
            ? Descriptor{InterruptGate64{.selector = 0x30, .offset = DeliveryCase::kHandler}}
            : Descriptor{InterruptGate32{.selector = 0x30, .offset = DeliveryCase::kHandler}});
  };
}
