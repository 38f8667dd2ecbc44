// Each rule for call gates and gates of the IDT: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kGp = Vector::kGeneralProtection;
constexpr Vector kNp = Vector::kSegmentNotPresent;
constexpr Vector kSs = Vector::kStackFault;
constexpr Vector kTs = Vector::kInvalidTss;

const Bytes kCallFarMemory = {0xFF, 0x1C, 0x25, 0x00, 0x40, 0x00, 0x00};  // call far [0x4000]
Bytes call_far(std::uint8_t selector) { return {0x9A, 0, 0, 0, 0, selector, 0}; }

class GateRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(GateRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

// A far call at CPL 3 through the gate at 0x30.
auto calls_through_gate(const Descriptor& code, std::uint16_t ss0 = 0x10,
                        std::uint32_t tss_limit = 103) {
  return [=](Guest& guest) {
    guest.put_descriptor(0x30, CallGate32{.selector = 0x38, .dpl = 3});
    guest.put_descriptor(0x38, code);
    guest.put_descriptor(0x40, Data32{.dpl = 3});
    guest.put_descriptor(0x48, Data32{.present = false});
    guest.put(Guest::kTss + 4, 0x7000, 4);
    guest.put(Guest::kTss + 8, ss0, 4);
    guest.registers.tr.limit = tss_limit;
    guest.enter_cpl_3();
  };
}

INSTANTIATE_TEST_SUITE_P(
    CallGates, GateRules,
    ::testing::Values(
        CauseCase{"ToCode", kGp, 0x38, call_far(0x33), calls_through_gate(Code32{}),
                  "GDT entry 0x38, which the call gate 0x33 names, is a 32-bit code segment, base "
                  "0x0, limit 0xffffffff, readable, not conforming, DPL 0, present"},
        CauseCase{"ToData", kGp, 0x38, call_far(0x33), calls_through_gate(Data32{}),
                  ": a call gate requires code"},
        CauseCase{"ToCodeThatIsNotPresent", kNp, 0x38, call_far(0x33),
                  calls_through_gate(Code32{.present = false}), ": it is not present"},
        CauseCase{"BeyondTheTable", kGp, 0x80, call_far(0x33),
                  [](Guest& guest) {
                    guest.put_descriptor(0x30, CallGate32{.selector = 0x80, .dpl = 3});
                    guest.enter_cpl_3();
                  },
                  "selector 0x80, which the call gate 0x33 names, is beyond the end of the GDT, "
                  "whose limit is 0x7f"},
        CauseCase{"ToCodeOfAnOuterLevel", kGp, 0x38, call_far(0x30),
                  [](Guest& guest) {
                    guest.put_descriptor(0x30, CallGate32{.selector = 0x38});
                    guest.put_descriptor(0x38, Code32{.dpl = 1});
                  },
                  ": a call gate requires code with a DPL of at most CPL: DPL is 1, CPL 0"},
        CauseCase{"To32BitCodeInIa32eMode", kGp, 0x40, kCallFarMemory,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.put_descriptor(0x30, CallGate64{.selector = 0x40});
                    guest.put_descriptor(0x40, Code32{});
                    guest.put(0x4000, 0x30ULL << 32U, 6);
                  },
                  ": a call gate requires 64-bit code"},
        CauseCase{"WithoutAStack", kTs, 0, call_far(0x33), calls_through_gate(Code32{}, 0),
                  "the TSS at 0x5000 has a null selector for SS0: there is no stack for CPL 0"},
        CauseCase{"WithAStackOfCpl3", kTs, 0x40, call_far(0x33), calls_through_gate(Code32{}, 0x40),
                  "SS0 in the TSS at 0x5000 is selector 0x40, 32-bit data segment, base 0x0, limit "
                  "0xffffffff, writable, not expand-down, DPL 3, present: a stack for CPL 0 "
                  "requires DPL 0"},
        CauseCase{"WithAnRplOf3", kTs, 0x10, call_far(0x33), calls_through_gate(Code32{}, 0x13),
                  "SS0 in the TSS at 0x5000 is selector 0x13: a stack for CPL 0 requires RPL 0"},
        CauseCase{"WithAStackThatIsNotPresent", kSs, 0x48, call_far(0x33),
                  calls_through_gate(Code32{}, 0x48), "not present: it is not present"},
        CauseCase{"WithATssThatEndsInEsp0", kTs, 0x28, call_far(0x33),
                  calls_through_gate(Code32{}, 0x10, 8),
                  "the TSS at 0x5000 ends before SS0: its limit is 0x8"},
        CauseCase{"OfCpl1", kTs, 0, call_far(0x33), calls_through_gate(Code32{.dpl = 1}),
                  "the TSS at 0x5000 has a null selector for SS1: there is no stack for CPL 1"}),
    kName);

CauseCase through_gate(const char* name, const Bytes& code, const Descriptor& gate,
                       std::string cause, bool external = false) {
  return {name,
          kGp,
          (0x21U << 3U) | 2U | (external ? 1U : 0U),
          code,
          [=](Guest& guest) {
            guest.put_gate(Vector{0x21}, gate);
            guest.enter_cpl_3();
          },
          std::move(cause)};
}
const Bytes kInt21 = {0xCD, 0x21};
INSTANTIATE_TEST_SUITE_P(
    Interrupts, GateRules,
    ::testing::Values(
        through_gate("DplUnderCpl", kInt21, InterruptGate32{.selector = 8, .dpl = 2},
                     "DPL 2, present: int 0x21 at CPL 3 requires a gate with a DPL of at least 3"),
        through_gate("DplIsCpl", kInt21, InterruptGate32{.selector = 8, .dpl = 3},
                     "DPL 3, present"),
        through_gate("AnExternalInterruptGoesThroughAnyGate", kInt21,
                     InterruptGate32{.selector = 8}, "DPL 0, present", true),
        through_gate("AnExceptionGoesThroughAnyGate", {0x0F, 0x0B}, InterruptGate32{.selector = 8},
                     "DPL 0, present"),
        through_gate("NotPresent", kInt21, TrapGate32{.selector = 8, .dpl = 3, .present = false},
                     "not present: it is not present"),
        through_gate("NotAGate", kInt21, Code32{.dpl = 3}, "DPL 3, present: it is not a gate"),
        through_gate("CallGate", kInt21, CallGate32{.selector = 8, .dpl = 3},
                     "DPL 3, present: it is not a gate"),
        CauseCase{"BeyondTheIdt", kGp, 0x21U << 3U | 2U, kInt21,
                  [](Guest& guest) { guest.registers.idt.limit = 0x21 * 8 + 6; },
                  "vector 0x21 has no gate: the limit of the IDT is 0x10e"},
        CauseCase{"LastGate", kGp, 0x21U << 3U | 2U, kInt21,
                  [](Guest& guest) { guest.registers.idt.limit = 0x21 * 8 + 7; },
                  "the gate for vector 0x21 is a null descriptor: it is not a gate"},
        CauseCase{"IdtOutsideMemory", kGp, 0x21U << 3U | 2U, kInt21,
                  [](Guest& guest) { guest.registers.idt.base = Gva{0x40000000}; },
                  "the gate for vector 0x21 can't be read"},
        CauseCase{"OfCpl1WithoutAStack", kTs, 0, kInt21,
                  [](Guest& guest) {
                    guest.put_descriptor(0x30, Code32{.dpl = 1});
                    guest.put_gate(Vector{0x21}, InterruptGate32{.selector = 0x30, .dpl = 3});
                    guest.enter_cpl_3();
                  },
                  "the TSS at 0x5000 has a null selector for SS1: there is no stack for CPL 1"},
        CauseCase{"WithoutAStack", kTs, 0, kInt21,
                  [](Guest& guest) {
                    guest.put_gate(Vector{0x21}, InterruptGate32{.selector = 8, .dpl = 3});
                    guest.enter_cpl_3();
                  },
                  "the TSS at 0x5000 has a null selector for SS0: there is no stack for CPL 0"}),
    kName);

}  // namespace
