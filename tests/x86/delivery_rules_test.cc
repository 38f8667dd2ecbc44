// Each rule for the delivery of an exception: broken, at its boundary, satisfied.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "x86/causes/delivery.h"

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using Guest = HandMadeGuest;

constexpr std::uint64_t kReadOnlyPage = 0x6000;
constexpr std::uint64_t kNoExecutePage = 0xC000;
constexpr std::uint64_t kHandler = 0xA000;

// Linear addresses are physical ones, and those outside memory are not mapped.
PageWalk identity(const Guest& guest, Gva gva) {
  PageWalk walk{.gva = gva, .gpa = Gpa{gva.value()}, .flags = kReadWrite};
  const std::uint64_t page = gva.value() & ~0xFFFULL;
  if (gva.value() >= guest.memory.size()) walk.end = WalkEnd::kNotPresent;
  if (page == kReadOnlyPage) walk.flags = kReadOnly;
  if (page == kNoExecutePage) walk.flags = kReadWrite | kNoExecute;
  return walk;
}

struct DeliveryCase {
  const char* name;
  bool is_64_bit;
  std::function<void(Guest&)> arrange;
  const char* obstacle;  // its end; empty: it has none

  friend std::ostream& operator<<(std::ostream& stream, const DeliveryCase& each) {
    return stream << each.name;
  }
};

class DeliveryRules : public ::testing::TestWithParam<DeliveryCase> {};

TEST_P(DeliveryRules, AreTold) {
  Guest guest;
  if (GetParam().is_64_bit) guest.enter_64_bit();
  guest.put_gate(Vector::kInvalidOpcode,
                 GetParam().is_64_bit
                     ? Descriptor{InterruptGate64{.selector = 0x08, .offset = kHandler}}
                     : Descriptor{InterruptGate32{.selector = 0x08, .offset = kHandler}});
  guest.put(Guest::kTss + 4, Guest::kStack, guest.registers.efer.lma() ? 8 : 4);
  if (!GetParam().is_64_bit) guest.put(Guest::kTss + 8, 0x10, 4);
  GetParam().arrange(guest);
  const std::string obstacle = obstacle_to_delivery(
      Vector::kInvalidOpcode, guest.registers, [&](Gva gva) { return identity(guest, gva); },
      [&](Gva gva, std::size_t count) { return guest.read(gva.value(), count); });
  if (*GetParam().obstacle == '\0') {
    EXPECT_EQ(obstacle, "");
  } else {
    EXPECT_THAT(obstacle, ::testing::EndsWith(GetParam().obstacle));
  }
}

auto gate(const Descriptor& descriptor) {
  return [=](Guest& guest) { guest.put_gate(Vector::kInvalidOpcode, descriptor); };
}
// Through a gate to the entry at 0x30.
auto handler_in(const Descriptor& code, unsigned cpl = 0) {
  return [=](Guest& guest) {
    guest.put_descriptor(0x30, code);
    guest.registers.ss.dpl = static_cast<std::uint8_t>(cpl);
    guest.put_gate(Vector::kInvalidOpcode,
                   guest.registers.efer.lma()
                       ? Descriptor{InterruptGate64{.selector = 0x30, .offset = kHandler}}
                       : Descriptor{InterruptGate32{.selector = 0x30, .offset = kHandler}});
  };
}
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

INSTANTIATE_TEST_SUITE_P(
    Gates, DeliveryRules,
    ::testing::Values(
        DeliveryCase{"Nothing", false, [](Guest&) {}, ""},
        DeliveryCase{"NothingIn64Bit", true, [](Guest&) {}, ""},
        DeliveryCase{"IdtEndsInTheGate", false,
                     [](Guest& guest) { guest.registers.idt.limit = 6 * 8 + 6; },
                     "ends before the gate for #UD (vector 0x6): its limit is 0x36"},
        DeliveryCase{"IdtEndsAtTheGate", false,
                     [](Guest& guest) { guest.registers.idt.limit = 6 * 8 + 7; }, ""},
        DeliveryCase{"IdtOf64BitEndsInTheGate", true,
                     [](Guest& guest) { guest.registers.idt.limit = 6 * 16 + 14; },
                     "ends before the gate for #UD (vector 0x6): its limit is 0x6e"},
        DeliveryCase{"IdtNotMapped", false,
                     [](Guest& guest) { guest.registers.idt.base = Gva{0x40000000}; },
                     "the IDT at 0x40000000 is not mapped: not present"},
        DeliveryCase{"RealModesIdt", false,
                     [](Guest& guest) {
                       guest.registers.idt = {Gva{0}, 0x3FF};
                     },
                     "IDTR still has its real-mode value (base 0x0, limit 0x3ff): the IDT entry "
                     "for #UD (vector 0x6) is not a gate: null descriptor"},
        DeliveryCase{"CallGate", false, gate(CallGate32{.selector = 8, .offset = kHandler}),
                     "is not a gate: 32-bit call gate, selector 0x8, offset 0xa000, parameters 0, "
                     "DPL 0, present"},
        DeliveryCase{"NotPresent", false,
                     gate(TrapGate32{.selector = 8, .offset = kHandler, .present = false}),
                     "the gate for #UD (vector 0x6) is not present"},
        DeliveryCase{"TaskGate", false, gate(TaskGate{.selector = 0x28}), ""},
        DeliveryCase{"TaskGateNotPresent", false,
                     gate(TaskGate{.selector = 0x28, .present = false}),
                     "the gate for #UD (vector 0x6) is not present"},
        DeliveryCase{"IvtEndsInTheVector", false,
                     [](Guest& guest) {
                       guest.registers.cr0.value = 0;
                       guest.registers.idt = {Gva{0}, 26};
                     },
                     "the IVT at 0x0 ends before vector 0x6: its limit is 0x1a"},
        DeliveryCase{"IvtEndsAfterTheVector", false,
                     [](Guest& guest) {
                       guest.registers.cr0.value = 0;
                       guest.registers.idt = {Gva{0}, 27};
                     },
                     ""}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Handlers, DeliveryRules,
    ::testing::Values(
        DeliveryCase{"Null", false, gate(InterruptGate32{.selector = 3, .offset = kHandler}),
                     "the handler's selector 0x3 is a null selector"},
        DeliveryCase{"BeyondTheGdt", false,
                     gate(InterruptGate32{.selector = 0x80, .offset = kHandler}),
                     "the handler's selector 0x80 is beyond the end of the GDT (limit 0x7f), or "
                     "the table is not mapped"},
        DeliveryCase{"InAMissingLdt", false,
                     gate(InterruptGate32{.selector = 0x0C, .offset = kHandler}),
                     "the handler's selector 0xc is beyond the end of the LDT, or the table is not "
                     "mapped"},
        DeliveryCase{"Data", false, handler_in(Data32{}), ": a handler requires code"},
        DeliveryCase{"Code32In64Bit", true, handler_in(Code32{}),
                     ": a handler requires 64-bit code"},
        DeliveryCase{"NotPresent", false, handler_in(Code32{.present = false}),
                     ": it is not present"},
        DeliveryCase{"OfAnOuterLevel", false, handler_in(Code32{.dpl = 1}),
                     ": a handler requires a DPL of at most CPL, 0"},
        DeliveryCase{"OfTheSameLevel", false, handler_in(Code32{.dpl = 1}, 1), ""},
        DeliveryCase{"ConformingOfAnOuterLevel", false,
                     handler_in(Code32{.dpl = 1, .conforming = true}),
                     ": a handler requires a DPL of at most CPL, 0"},
        DeliveryCase{"FromVirtual8086ModeToCpl1", false,
                     [](Guest& guest) {
                       handler_in(Code32{.dpl = 1}, 3)(guest);
                       guest.registers.rflags.value |= Rflags::kVm;
                     },
                     ": from virtual-8086 mode a handler requires CPL 0"},
        DeliveryCase{"FromVirtual8086ModeToCpl0", false,
                     [](Guest& guest) {
                       handler_in(Code32{}, 3)(guest);
                       guest.registers.rflags.value |= Rflags::kVm;
                     },
                     ""},
        DeliveryCase{"BeyondItsSegment", false, handler_in(Code32{.limit = kHandler - 1}),
                     "the handler at 0x30:0xa000 is beyond the limit of its segment, 0x9fff"},
        DeliveryCase{"AtTheEndOfItsSegment", false, handler_in(Code32{.limit = kHandler}), ""},
        DeliveryCase{"AtItsSegmentsBase", false, handler_in(Code32{.base = Gva{0x3FFF6000}}),
                     "the handler at 0x40000000 is not mapped, or where there is no memory"},
        DeliveryCase{"NotCanonical", true,
                     gate(InterruptGate64{.selector = 8, .offset = 1ULL << 47U}),
                     "the handler's address in the gate for #UD (vector 0x6), 0x800000000000, is "
                     "not canonical"},
        DeliveryCase{"NoExecute", true,
                     [](Guest& guest) {
                       gate(InterruptGate64{.selector = 8, .offset = kNoExecutePage})(guest);
                       guest.registers.efer.value |= Efer::kNxe;
                     },
                     "the handler at 0xc000 is in a page that forbids execution"},
        DeliveryCase{"NoExecuteWithoutNxe", true,
                     gate(InterruptGate64{.selector = 8, .offset = kNoExecutePage}), ""}),
    kName);

auto stack(std::uint64_t rsp, std::uint64_t cr0 = Cr0::kPe | Cr0::kPg | Cr0::kWp) {
  return [=](Guest& guest) {
    guest.registers.rsp = rsp;
    guest.registers.cr0.value = cr0;
  };
}
// At CPL 3, with SS0:ESP0 in the TSS.
auto inner(std::uint16_t ss0, std::uint64_t esp0 = Guest::kStack, std::uint32_t limit = 103) {
  return [=](Guest& guest) {
    guest.enter_cpl_3();
    guest.put_descriptor(0x30, Data32{.dpl = 3});
    guest.put_descriptor(0x38, Data32{.writable = false});
    guest.put_descriptor(0x40, Data32{.present = false});
    guest.put_descriptor(0x48, Data16{});
    guest.put(Guest::kTss + 4, esp0, 4);
    guest.put(Guest::kTss + 8, ss0, 4);
    guest.registers.tr.limit = limit;
  };
}
auto inner64(std::uint64_t rsp0, std::uint32_t limit = 103) {
  return [=](Guest& guest) {
    guest.enter_cpl_3();
    guest.put(Guest::kTss + 4, rsp0, 8);
    guest.registers.tr.limit = limit;
  };
}
auto ist(unsigned number, std::uint64_t rsp, std::uint32_t limit = 103) {
  return [=](Guest& guest) {
    gate(InterruptGate64{.selector = 8, .offset = kHandler, .ist = number})(guest);
    guest.put(Guest::kTss + 28 + 8 * number, rsp, 8);
    guest.registers.tr.limit = limit;
  };
}

INSTANTIATE_TEST_SUITE_P(
    Stacks, DeliveryRules,
    ::testing::Values(
        DeliveryCase{"NotMapped", false, stack(0x40000000, Cr0::kPe),
                     "the stack at 0x3ffffffc is not mapped: not present"},
        DeliveryCase{"ReadOnly", false, stack(kReadOnlyPage + 4),
                     "the stack at 0x6000 is in a read-only page"},
        DeliveryCase{"AboveReadOnly", false, stack(kReadOnlyPage + 0x1004), ""},
        DeliveryCase{"ReadOnlyWithoutWp", false, stack(kReadOnlyPage + 4, Cr0::kPe | Cr0::kPg), ""},
        DeliveryCase{"Aligned", true, stack(0x10000F), ""},
        DeliveryCase{"OfA16BitSegmentWraps", false,
                     [](Guest& guest) {
                       guest.registers.ss.db = false;
                       guest.registers.ss.base = Gva{0xF8000};
                       guest.registers.rsp = 0;
                     },
                     "the stack at 0x107ffc is not mapped: not present"},
        DeliveryCase{"Of32BitsWraps", false,
                     [](Guest& guest) {
                       guest.registers.ss.base = Gva{0x10000};
                       guest.registers.rsp = 0xFFFF'8000;
                     },
                     ""},
        DeliveryCase{"Inner", false, inner(0x10), ""},
        DeliveryCase{"InnerNull", false, inner(0),
                     "the TSS at 0x5000 has a null selector for SS0: there is no stack for CPL 0"},
        DeliveryCase{"InnerOfCpl1", false,
                     [](Guest& guest) {
                       inner(0x10)(guest);
                       handler_in(Code32{.dpl = 1}, 3)(guest);
                       guest.put(Guest::kTss + 16, 0x12, 2);
                     },
                     "SS1 in the TSS at 0x5000 is selector 0x12: a stack for CPL 1 requires RPL 1"},
        DeliveryCase{"InnerOfRpl3", false, inner(0x13),
                     "SS0 in the TSS at 0x5000 is selector 0x13: a stack for CPL 0 requires RPL 0"},
        DeliveryCase{"InnerOfDpl3", false, inner(0x30),
                     "SS0 in the TSS at 0x5000 is selector 0x30, 32-bit data segment, base 0x0, "
                     "limit 0xffffffff, writable, not expand-down, DPL 3, present: a stack for CPL "
                     "0 requires DPL 0"},
        DeliveryCase{"InnerReadOnly", false, inner(0x38), ": a stack requires writable data"},
        DeliveryCase{"InnerCode", false, inner(0x08), ": a stack requires writable data"},
        DeliveryCase{"InnerNotPresent", false, inner(0x40), ": it is not present"},
        DeliveryCase{"InnerBeyondTheGdt", false, inner(0x80),
                     "is selector 0x80, which the GDT or LDT does not have"},
        DeliveryCase{"InnerNotMapped", false, inner(0x10, 0x40000000),
                     "the stack at 0x3ffffffc is not mapped: not present"},
        DeliveryCase{"InnerOf16BitsWraps", false, inner(0x48, 0), ""},
        DeliveryCase{"TssEndsInSs0", false, inner(0x10, Guest::kStack, 8),
                     "the TSS at 0x5000 ends before SS0: its limit is 0x8"},
        DeliveryCase{"TssEndsAfterSs0", false, inner(0x10, Guest::kStack, 9), ""},
        DeliveryCase{"TssNotInMemory", false,
                     [](Guest& guest) {
                       inner(0x10)(guest);
                       guest.registers.tr.base = Gva{0x40000000};
                     },
                     "SS0 in the TSS at 0x40000000 can't be read"},
        DeliveryCase{"ConformingHandlersStayOnTheStack", false,
                     [](Guest& guest) {
                       handler_in(Code32{.conforming = true})(guest);
                       inner(0)(guest);
                       guest.put_descriptor(0x30, Code32{.conforming = true});
                     },
                     ""},
        DeliveryCase{"OfA16BitTss", false,
                     [](Guest& guest) {
                       inner(0x10)(guest);
                       guest.registers.tr = Segment::task_state16(0x28, Gva{Guest::kTss}, 43);
                       guest.put(Guest::kTss + 2, 0x8000, 2);
                       guest.put(Guest::kTss + 4, 0x13, 2);
                     },
                     "SS0 in the TSS at 0x5000 is selector 0x13: a stack for CPL 0 requires RPL 0"},
        DeliveryCase{"Rsp0", true, inner64(0x8000), ""},
        DeliveryCase{"Rsp0IsAligned", true, inner64(0x10000F), ""},
        DeliveryCase{"Rsp1", true,
                     [](Guest& guest) {
                       inner64(0x8000)(guest);
                       handler_in(Code64{.dpl = 1}, 3)(guest);
                       guest.put(Guest::kTss + 12, 0x40000000, 8);
                     },
                     "the stack at 0x3ffffff8 is not mapped: not present"},
        DeliveryCase{"Rsp0NotMapped", true, inner64(0x40000000),
                     "the stack at 0x3ffffff8 is not mapped: not present"},
        DeliveryCase{"Rsp0NotCanonical", true, inner64(1ULL << 47U),
                     "RSP0 in the TSS at 0x5000, 0x800000000000, is not canonical"},
        DeliveryCase{"TssEndsInRsp0", true, inner64(0x8000, 10),
                     "the TSS at 0x5000 ends before RSP0: its limit is 0xa"},
        DeliveryCase{"TssEndsAfterRsp0", true, inner64(0x8000, 11), ""},
        DeliveryCase{"Ist1", true, ist(1, 0x40000000),
                     "the stack at 0x3ffffff8 is not mapped: not present"},
        DeliveryCase{"Ist7", true, ist(7, 0x8000), ""},
        DeliveryCase{"TssEndsInIst7", true, ist(7, 0x8000, 90),
                     "the TSS at 0x5000 ends before IST7: its limit is 0x5a"},
        DeliveryCase{"TssEndsAfterIst7", true, ist(7, 0x8000, 91), ""}),
    kName);

}  // namespace
