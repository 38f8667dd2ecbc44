// Each rule for the gate and the handler of an exception: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "delivery_case.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;

constexpr std::uint64_t kNoExecutePage = DeliveryCase::kNoExecutePage;
constexpr std::uint64_t kHandler = DeliveryCase::kHandler;

class DeliveryRules : public ::testing::TestWithParam<DeliveryCase> {};
TEST_P(DeliveryRules, AreTold) { expect_obstacle(GetParam()); }
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

}  // namespace
