// Each rule for the stack that an exception is delivered on: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "delivery_case.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;

constexpr std::uint64_t kReadOnlyPage = DeliveryCase::kReadOnlyPage;
constexpr std::uint64_t kHandler = DeliveryCase::kHandler;

class DeliveryStacks : public ::testing::TestWithParam<DeliveryCase> {};
TEST_P(DeliveryStacks, AreTold) { expect_obstacle(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

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
    Stacks, DeliveryStacks,
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
        DeliveryCase{"InnerOfCpl1AndRpl0", false,
                     [](Guest& guest) {
                       inner(0x10)(guest);
                       handler_in(Code32{.dpl = 1}, 3)(guest);
                       guest.put(Guest::kTss + 16, 0x10, 2);
                     },
                     "SS1 in the TSS at 0x5000 is selector 0x10: a stack for CPL 1 requires RPL 1"},
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
