// The first and the last address of a device, how many MSRs devices can have, and how much a log
// keeps.
#include <hltest/hltest.h>

#include "bus/device_bus.h"

#include "../message_of.h"
#include "../waiting_guest.h"

namespace {

using namespace hltest;
using internal::Claim;
using internal::DeviceBus;
using ::testing::HasSubstr;

class Answering : public Device {
 public:
  std::optional<std::uint64_t> read(const Access& /*access*/, GuestView& /*guest*/) override {
    return 0x1122'3344'5566'7788;
  }
};

Access read_of(Space space, std::uint64_t address, std::uint8_t size = 1) {
  return {.space = space, .direction = Direction::kRead, .size = size, .address = address};
}

TEST(BusLimitsTest, ADeviceAnswersFromItsFirstToItsLastAddress) {
  internal::WaitingGuest guest;
  for (const Space space : {Space::kPort, Space::kMmio, Space::kMsr}) {
    DeviceBus bus;
    bus.attach({.space = space, .first = 0x60, .last = 0x64}, std::make_shared<Answering>());
    for (std::uint64_t address = 0x5F; address <= 0x65; ++address) {
      Access access = read_of(space, address);
      EXPECT_TRUE(bus.answer(access, guest));
      EXPECT_EQ(access.answered, address >= 0x60 && address <= 0x64) << address;
      EXPECT_EQ(access.value, access.answered ? 0x88U : 0xFFU) << address;
    }
    for (const Space other : {Space::kPort, Space::kMmio, Space::kMsr}) {
      Access access = read_of(other, 0x62);
      EXPECT_TRUE(bus.answer(access, guest));
      EXPECT_EQ(access.answered, space == other);
    }
  }
}

TEST(BusLimitsTest, AnAnswerIsCutToTheSizeOfTheAccess) {
  internal::WaitingGuest guest;
  DeviceBus bus;
  bus.attach({.space = Space::kMmio, .first = 0, .last = 0xFFF}, std::make_shared<Answering>());
  for (unsigned size = 1; size <= 8; ++size) {
    Access answered = read_of(Space::kMmio, 0, static_cast<std::uint8_t>(size));
    Access floating = read_of(Space::kMmio, 0x1000, static_cast<std::uint8_t>(size));
    EXPECT_TRUE(bus.answer(answered, guest) && bus.answer(floating, guest));
    const std::uint64_t all = ~0ULL >> (64 - 8 * size);
    EXPECT_EQ(answered.value, 0x1122'3344'5566'7788U & all) << size;
    EXPECT_EQ(floating.value, all) << size;
  }
}

TEST(BusLimitsTest, DevicesCanBeSideBySide) {
  const auto device = std::make_shared<Answering>();
  const auto error = [&](std::uint64_t first, std::uint64_t last) {
    DeviceBus bus;
    bus.attach({.first = 0x60, .last = 0x64}, device);
    return message_of<SetupError>([&] { bus.attach({.first = first, .last = last}, device); });
  };
  EXPECT_EQ(error(0x50, 0x5F), "(nothing was thrown)");
  EXPECT_EQ(error(0x65, 0x6F), "(nothing was thrown)");
  EXPECT_THAT(error(0x50, 0x60), HasSubstr("overlaps"));
  EXPECT_THAT(error(0x64, 0x6F), HasSubstr("overlaps"));
  EXPECT_THAT(error(0x50, 0x6F), HasSubstr("overlaps"));
  EXPECT_THAT(error(0x62, 0x62), HasSubstr("overlaps"));
  EXPECT_THAT(error(0x71, 0x70), HasSubstr("is empty, or wraps"));
}

TEST(BusLimitsTest, ADeviceBeneathGivesWay) {
  const auto first = std::make_shared<Answering>();
  DeviceBus bus;
  bus.attach_beneath({.first = 0x60, .last = 0x64}, first);
  bus.attach({.first = 0x64, .last = 0x64}, first);
  EXPECT_EQ(bus.claims(Space::kPort).size(), 1U) << "the device beneath is gone as a whole";
  bus.attach_beneath({.first = 0x60, .last = 0x64}, first);
  EXPECT_EQ(bus.claims(Space::kPort).size(), 1U) << "its place is taken";
  bus.attach_beneath({.first = 0x60, .last = 0x63}, first);
  EXPECT_EQ(bus.claims(Space::kPort).size(), 2U);
}

std::string error_of_msrs(std::uint64_t first, std::uint64_t last) {
  DeviceBus bus;
  return message_of<SetupError>([&] {
    bus.attach({.space = Space::kMsr, .first = first, .last = last}, std::make_shared<Answering>());
  });
}

TEST(BusLimitsTest, TheMsrsOfTheX2apicAreNobodys) {
  EXPECT_EQ(error_of_msrs(0x7FF, 0x7FF), "(nothing was thrown)");
  EXPECT_EQ(error_of_msrs(0x900, 0x900), "(nothing was thrown)");
  EXPECT_THAT(error_of_msrs(0x800, 0x800), HasSubstr("x2APIC"));
  EXPECT_THAT(error_of_msrs(0x8FF, 0x8FF), HasSubstr("x2APIC"));
  EXPECT_THAT(error_of_msrs(0x7FF, 0x800), HasSubstr("x2APIC"));
  EXPECT_THAT(error_of_msrs(0x7FF, 0x900), HasSubstr("x2APIC"));
}

TEST(BusLimitsTest, ADeviceHas3000hMsrsAtMost) {
  EXPECT_EQ(error_of_msrs(0x1000, 0x3FFF), "(nothing was thrown)");
  EXPECT_EQ(error_of_msrs(0x1000, 0x4000),
            "MSRs 0x1000-0x4000: a device can have 0x3000 MSRs at most");
}

TEST(BusLimitsTest, ThereIsRoomFor16RangesOfMsrs) {
  DeviceBus bus;
  const auto device = std::make_shared<Answering>();
  for (std::uint64_t msr = 0; msr < 16; ++msr) {
    bus.attach({.space = Space::kMsr, .first = msr, .last = msr}, device);
  }
  EXPECT_EQ(message_of<SetupError>(
                [&] { bus.attach({.space = Space::kMsr, .first = 16, .last = 16}, device); }),
            "no room for a device at MSR 0x10: a VM has room for 16 ranges of MSRs");
  bus.attach({.space = Space::kPort, .first = 16, .last = 16}, device);
}

TEST(BusLimitsTest, RangesHaveNames) {
  const auto text = [](Space space, std::uint64_t last) {
    return to_string(Claim{.space = space, .first = 0x20, .last = last});
  };
  EXPECT_EQ(text(Space::kPort, 0x20), "port 0x20");
  EXPECT_EQ(text(Space::kPort, 0x21), "ports 0x20-0x21");
  EXPECT_EQ(text(Space::kMmio, 0x20), "MMIO 0x20");
  EXPECT_EQ(text(Space::kMmio, 0x21), "MMIO 0x20-0x21");
  EXPECT_EQ(text(Space::kMsr, 0x20), "MSR 0x20");
  EXPECT_EQ(text(Space::kMsr, 0x21), "MSRs 0x20-0x21");
  EXPECT_EQ(text(Space::kInterrupt, 0x20), "vector 0x20");
}

TEST(BusLimitsTest, MmioReachesToTheLastAddress) {
  constexpr Gpa kLastPage{~0ULL - 0xFFF};
  Machine machine{CpuMode::kLong64};
  const auto device = std::make_shared<Answering>();
  EXPECT_THROW(machine.attach(MmioRange{kLastPage, 0x1001}, device), SetupError);
  EXPECT_THROW(machine.attach(MmioRange{kLastPage, 0}, device), SetupError);
  EXPECT_NO_THROW(machine.attach(MmioRange{kLastPage, 0x1000}, device));
  Machine other{CpuMode::kLong64};
  EXPECT_THROW(other.mmio().attach(kLastPage, 0x1001, {}), SetupError);
  EXPECT_THROW(other.mmio().attach(kLastPage, 0, {}), SetupError);
  EXPECT_NO_THROW(other.mmio().attach(kLastPage, 0x1000, {}));
}

TEST(AccessLogLimitsTest, AccessesOverItsLimitAreCounted) {
  AccessLog log;
  for (std::size_t i = 0; i < AccessLog::kMostKept; ++i) log.add(Access::out(0x80, 1, 0));
  EXPECT_EQ(log.dropped(), 0U);
  EXPECT_EQ(log.kept(Space::kPort), AccessLog::kMostKept);
  log.add(Access::out(0x80, 1, 0));
  log.add(read_of(Space::kMsr, 0x10));
  EXPECT_EQ(log.size(), AccessLog::kMostKept);
  EXPECT_EQ(log.dropped(Space::kPort), 1U);
  EXPECT_EQ(log.dropped(Space::kMsr), 1U);
  EXPECT_EQ(log.dropped(), 2U);
}

TEST(AccessLogLimitsTest, CallsOverTheirLimitAreCounted) {
  AccessLog log;
  const ServiceCall call;
  for (std::size_t i = 0; i < AccessLog::kMostCalls; ++i) log.add(call);
  EXPECT_EQ(log.dropped_calls(), 0U);
  log.add(call);
  EXPECT_EQ(log.calls().size(), AccessLog::kMostCalls);
  EXPECT_EQ(log.dropped_calls(), 1U);
}

TEST(AccessLogLimitsTest, WritesOverTheirLimitAreAllDropped) {
  const auto write = [](std::uint64_t size) {
    return MemoryWrite{.bytes = std::vector<std::uint8_t>(size)};
  };
  AccessLog log;
  log.add(write(0));
  log.add(write(AccessLog::kMostWritten - 2 * sizeof(MemoryWrite)));
  EXPECT_EQ(log.memory_writes().size(), 2U) << "exactly as much as it keeps";
  log.add(write(0));
  EXPECT_EQ(log.memory_writes().size(), 0U);
  EXPECT_EQ(log.dropped_memory_writes(), 3U);
  log.add(write(0));
  EXPECT_EQ(log.dropped_memory_writes(), 4U);
}

}  // namespace
