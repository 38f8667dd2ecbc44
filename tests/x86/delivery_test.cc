// Why an exception could not be delivered, and causes of faults, on tables made by hand and on
// anything.
#include "x86/causes/delivery.h"
#include <gmock/gmock.h>
#include "x86/causes/fault_cause.h"

#include <cstring>
#include <map>
#include <random>

namespace {

using namespace hltest;
using namespace hltest::internal;
using ::testing::HasSubstr;

// Long mode without paging's ado: linear addresses below 1 MiB are mapped, the rest is not.
class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() {
    registers_.cr0.value = Cr0::kPe | Cr0::kPg | Cr0::kWp;
    registers_.efer.value = Efer::kLma | Efer::kLme;
    registers_.cr4.value = Cr4::kPae;
    registers_.cs = Segment::code64(0x08);
    registers_.ss = Segment::flat_data(0x10);
    registers_.gdt = {Gva{0x1000}, 0x17};
    registers_.idt = {Gva{0x2000}, 0xFFF};
    registers_.ldt = Segment::null_ldt();
    registers_.rsp = 0x8000;
    DescriptorTableBuilder gdt{DescriptorFormat::kIa32e};
    gdt.set(0x08, Code64{});
    gdt.set(0x10, Data32{});
    const std::vector<std::uint8_t> bytes = gdt.bytes();
    std::memcpy(memory_.data() + 0x1000, bytes.data(), bytes.size());
    put_gate(InterruptGate64{.selector = 0x08, .offset = 0x9000});
  }

  void put_gate(const Descriptor& gate) {
    const EncodedDescriptor encoded = encode(gate, DescriptorFormat::kIa32e);
    std::memcpy(memory_.data() + 0x2080, &encoded.low, 8);
    std::memcpy(memory_.data() + 0x2088, &encoded.high, 8);
  }

  std::vector<std::uint8_t> read(Gva gva, std::size_t count) const {
    if (gva.value() >= memory_.size()) return {};
    const std::size_t length = std::min(count, memory_.size() - gva.value());
    const auto begin = memory_.begin() + static_cast<std::ptrdiff_t>(gva.value());
    return {begin, begin + static_cast<std::ptrdiff_t>(length)};
  }
  PageWalk walk(Gva gva) const {
    PageWalk walk{.mode = PagingMode::k4Level, .gva = gva};
    if (gva.value() >= memory_.size()) {
      walk.end = WalkEnd::kNotPresent;
      walk.steps = {{.level = 3, .entry_address = Gpa{0x3000}, .entry = 0}};
    } else {
      walk.gpa = Gpa{gva.value()};
      walk.flags = gva.value() == 0x6FF8 ? kReadOnly : kReadWrite;
    }
    return walk;
  }

  std::string obstacle() const {
    return obstacle_to_delivery(
        Vector::kDoubleFault, registers_, [this](Gva gva) { return walk(gva); },
        [this](Gva gva, std::size_t count) { return read(gva, count); });
  }

  Registers registers_;
  std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(1U << 20U);
};

TEST_F(DeliveryTest, NothingIsInTheWay) { EXPECT_EQ(obstacle(), ""); }

TEST_F(DeliveryTest, TheIdt) {
  registers_.idt.limit = 0x8E;
  EXPECT_EQ(obstacle(),
            "the IDT at 0x2000 ends before the gate for #DF (vector 0x8): its limit is 0x8e");
  registers_.idt = {Gva{0x40000000}, 0xFFF};
  EXPECT_EQ(obstacle(), "the IDT at 0x40000000 is not mapped: not present");
}

TEST_F(DeliveryTest, TheGate) {
  put_gate(NullDescriptor{});
  EXPECT_EQ(obstacle(), "the IDT entry for #DF (vector 0x8) is not a gate: null descriptor");
  put_gate(InterruptGate64{.selector = 0x08, .offset = 0x9000, .present = false});
  EXPECT_EQ(obstacle(), "the gate for #DF (vector 0x8) is not present");
  put_gate(Code64{});
  EXPECT_THAT(obstacle(), HasSubstr("is not a gate: 64-bit code segment"));
}

TEST_F(DeliveryTest, TheHandlersCodeSegment) {
  put_gate(InterruptGate64{.selector = 0x18, .offset = 0x9000});
  EXPECT_THAT(obstacle(), HasSubstr("the handler's selector 0x18 is beyond the end of the GDT"));
  put_gate(InterruptGate64{.selector = 0x10, .offset = 0x9000});
  EXPECT_THAT(obstacle(), HasSubstr("a handler requires 64-bit code"));
}

TEST_F(DeliveryTest, TheStackAndTheHandlerItself) {
  registers_.rsp = 0x40000000;
  EXPECT_EQ(obstacle(), "the stack at 0x3ffffff8 is not mapped: not present");
  registers_.rsp = 0x7000;
  EXPECT_EQ(obstacle(), "the stack at 0x6ff8 is in a read-only page");
  registers_.rsp = 0x8000;
  put_gate(InterruptGate64{.selector = 0x08, .offset = 0x40000000});
  EXPECT_THAT(obstacle(), HasSubstr("the handler at 0x40000000 is not mapped"));
}

TEST_F(DeliveryTest, TheStackOfAnIstEntryAndOfAnInnerLevel) {
  registers_.tr = Segment::task_state(0x18, Gva{0x5000}, 103);
  const auto put_stack = [this](std::uint64_t offset, std::uint64_t stack) {
    std::memcpy(memory_.data() + 0x5000 + offset, &stack, sizeof stack);
  };
  put_gate(InterruptGate64{.selector = 0x08, .offset = 0x9000, .ist = 2});
  put_stack(36 + 8, 0x40000000);  // IST2
  EXPECT_EQ(obstacle(), "the stack at 0x3ffffff8 is not mapped: not present");
  put_stack(36 + 8, 0x8000);
  EXPECT_EQ(obstacle(), "");

  put_gate(InterruptGate64{.selector = 0x08, .offset = 0x9000});
  registers_.ss = Segment::flat_data(0x13);
  put_stack(4, 0x50000000);  // RSP0
  EXPECT_EQ(obstacle(), "the stack at 0x4ffffff8 is not mapped: not present");
}

TEST_F(DeliveryTest, ATssWithoutAStackForCpl0) {
  registers_.efer.value = 0;
  registers_.cs = Segment::flat_code32(0x1B);
  registers_.ss = Segment::flat_data(0x13);
  registers_.tr = Segment::task_state(0x18, Gva{0x5000}, 103);
  DescriptorTableBuilder gdt{DescriptorFormat::kLegacy};
  gdt.set(0x08, Code32{});
  gdt.set(0x10, Data32{});
  const std::vector<std::uint8_t> bytes = gdt.bytes();
  std::memcpy(memory_.data() + 0x1000, bytes.data(), bytes.size());
  const EncodedDescriptor gate =
      encode(InterruptGate32{.selector = 0x08, .offset = 0x9000}, DescriptorFormat::kLegacy);
  std::memcpy(memory_.data() + 0x2040, &gate.low, 8);

  EXPECT_EQ(obstacle(),
            "the TSS at 0x5000 has a null selector for SS0: there is no stack for CPL 0");
  memory_[0x5008] = 0x08;
  EXPECT_THAT(obstacle(), HasSubstr("SS0 in the TSS at 0x5000 is selector 0x8, 32-bit code"));
  memory_[0x5008] = 0x10;
  memory_[0x5005] = 0x80;  // ESP0 = 0x8000
  EXPECT_EQ(obstacle(), "");
}

// Any registers, any code, any tables: something is said or nothing, and that is all that happens.
TEST_F(DeliveryTest, CausesOfAnything) {
  std::mt19937_64 random{3};
  constexpr std::array kVectors = {Vector::kDivideError,       Vector::kDebug,
                                   Vector::kInvalidOpcode,     Vector::kInvalidTss,
                                   Vector::kStackFault,        Vector::kGeneralProtection,
                                   Vector::kPageFault,         Vector::kAlignmentCheck,
                                   Vector::kSegmentNotPresent, Vector::kDeviceNotAvailable};
  for (int i = 0; i < 20'000; ++i) {
    Fault fault{.vector = kVectors.at(random() % kVectors.size()),
                .error_code = static_cast<std::uint32_t>(random()),
                .address = Gva{random()},
                .registers = registers_,
                .walk = [this](Gva gva) { return walk(gva); },
                .read = [this](Gva gva, std::size_t count) { return read(gva, count); },
                .read_physical =
                    [this](Gpa gpa, std::size_t count) { return read(Gva{gpa.value()}, count); }};
    if (random() % 2 == 0) fault.error_code = fault.error_code.value() & 0x1F;
    Registers& r = fault.registers;
    for (std::uint64_t* const each : {&r.rax, &r.rbx, &r.rcx, &r.rdx, &r.rsp, &r.rsi, &r.rdi}) {
      *each = random() >> (random() % 64);
    }
    r.rip = random() % memory_.size();
    r.cr0.value = random() % 4 == 0 ? 0x10 : r.cr0.value ^ (random() & 0xE);
    r.cr4.value ^= random() & 0x300620;
    if (random() % 2 == 0) r.efer.value = 0;
    r.cs.l = random() % 2 == 0;
    r.cs.db = random() % 2 == 0;
    r.ds.limit = static_cast<std::uint32_t>(random());
    r.ss.dpl = static_cast<std::uint8_t>(random() % 4);
    for (std::uint64_t at = r.rip; at < std::min<std::uint64_t>(r.rip + 16, memory_.size()); ++at) {
      memory_[at] = static_cast<std::uint8_t>(random());
    }
    const std::string cause = fault_cause(fault);
    ASSERT_EQ(cause.find('\n'), std::string::npos) << cause;
    (void)obstacle_to_delivery(fault.vector, r, fault.walk, fault.read);
  }
}

}  // namespace
