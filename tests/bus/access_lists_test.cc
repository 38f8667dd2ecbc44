// How each kind of access reads, and which serial port transmits what.
#include <hltest/hltest.h>

namespace {

using namespace hltest;

TEST(AccessListsTest, AccessesInWords) {
  EXPECT_EQ(to_string(Access::in(0x60, 1, 0x1C)), "in 0x60, byte 0x1c");
  EXPECT_EQ(to_string(Access::out(0x60, 2, 0x1C)), "out 0x60, word 0x1c");
  EXPECT_EQ(to_string(Access::out(0x60, 4, 0x1C)), "out 0x60, dword 0x1c");
  const auto text = [](Space space, Direction direction, bool answered) {
    return to_string(Access{.space = space,
                            .direction = direction,
                            .size = 8,
                            .answered = answered,
                            .address = 0x21,
                            .value = 0xFF});
  };
  EXPECT_EQ(text(Space::kMmio, Direction::kRead, true), "read 0x21, 8 bytes: 0xff");
  EXPECT_EQ(text(Space::kMmio, Direction::kWrite, false),
            "write 0x21, 8 bytes: 0xff (nothing there)");
  EXPECT_EQ(text(Space::kMsr, Direction::kRead, true), "rdmsr 0x21: 0xff");
  EXPECT_EQ(text(Space::kMsr, Direction::kWrite, false), "wrmsr 0x21: 0xff (#GP)");
  EXPECT_EQ(text(Space::kInterrupt, Direction::kRead, true), "int 0x21, eax 0xff");
  EXPECT_EQ(to_string(Access{.direction = Direction::kRead, .answered = false, .address = 0x60}),
            "in 0x60, byte 0x0 (floating bus)");
}

TEST(AccessListsTest, TransfersInWords) {
  EXPECT_EQ(to_string(DiskTransfer{.drive = 0, .lba = 7, .count = 1}),
            "read sector 7 of drive 0x0");
  EXPECT_EQ(to_string(DiskTransfer{.lba = 7, .count = 2, .memory = Gpa{0x8000}}),
            "read sectors 7-8 of drive 0x80 to 0x8000");
  EXPECT_EQ(to_string(DiskTransfer{.lba = 1, .memory = Gpa{0x8000}, .is_write = true}),
            "write sector 1 of drive 0x80 from 0x8000");
}

TEST(AccessListsTest, CallsInWords) {
  ServiceCall call{.vector = Vector{0x13}};
  call.before.rax = 0x1'0201;
  EXPECT_EQ(to_string(call), "INT 13h, AX = 0201h");
  call.name = "read sectors";
  EXPECT_EQ(to_string(call), "INT 13h, AX = 0201h: read sectors");
}

TEST(AccessListsTest, FourSerialPortsTransmit) {
  for (const unsigned base : {0x3F8U, 0x2F8U, 0x3E8U, 0x2E8U}) {
    SCOPED_TRACE(base);
    const auto out = [base](unsigned offset, std::uint64_t value) {
      return Access::out(static_cast<Port>(base + offset), 1, value);
    };
    SerialOutput output;
    EXPECT_EQ(output.transmitted(out(0, 'a')), 'a');
    for (unsigned offset = 1; offset < 8; ++offset) {
      EXPECT_EQ(output.transmitted(out(offset, 0)), std::nullopt) << offset;
    }
    EXPECT_EQ(output.transmitted(Access::in(static_cast<Port>(base), 1, 'a')), std::nullopt);
    Access memory = out(0, 'a');
    memory.space = Space::kMmio;
    EXPECT_EQ(output.transmitted(memory), std::nullopt);

    EXPECT_EQ(output.transmitted(out(3, 0x83)), std::nullopt);
    EXPECT_EQ(output.transmitted(out(0, 1)), std::nullopt) << "the divisor's low byte";
    const Port other = base == kCom1 ? kCom2 : kCom1;
    EXPECT_EQ(output.transmitted(Access::out(other, 1, 'b')), 'b') << "its latch is its own";
    EXPECT_EQ(output.transmitted(out(3, 0x7F)), std::nullopt);
    EXPECT_EQ(output.transmitted(out(0, 'c')), 'c') << "bit 7 is DLAB";
  }
  SerialOutput output;
  EXPECT_EQ(output.transmitted(Access::out(0x3F0, 1, 'a')), std::nullopt);
}

TEST(AccessListsTest, AViewHasTheAccessesOfItsSpace) {
  AccessLog log;
  log.add(Access::out(0x80, 1, 1));
  log.add(Access{.space = Space::kMsr, .address = 0x10});
  log.add(Access::out(0x81, 2, 0x0302));
  const PortView ports{log};
  EXPECT_EQ(ports[1].port(), 0x81);
  EXPECT_THROW((void)ports[2], std::out_of_range);
  EXPECT_THAT(ports.written_ports(), ::testing::ElementsAre(0x80, 0x81));
  EXPECT_THAT(ports.bytes(0x81), ::testing::ElementsAre(2, 3)) << "the low byte first";
  EXPECT_THAT(ports.values(0x81), ::testing::ElementsAre(0x0302));
}

}  // namespace
