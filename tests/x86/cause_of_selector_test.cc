// Each rule for a selector: broken, at its boundary, satisfied.
#include <gmock/gmock.h>
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

const Bytes kMovDsAx = {0x8E, 0xD8};
const Bytes kMovSsAx = {0x8E, 0xD0};
const Bytes kLtrAx = {0x0F, 0x00, 0xD8};
const Bytes kLldtAx = {0x0F, 0x00, 0xD0};
const Bytes kRetFar = {0xCB};
const Bytes kIretd = {0xCF};
const Bytes kIretq = {0x48, 0xCF};
const Bytes kCallFarMemory = {0xFF, 0x1C, 0x25, 0x00, 0x40, 0x00, 0x00};  // call far [0x4000]
Bytes jmp_far(std::uint8_t selector) { return {0xEA, 0, 0, 0, 0, selector, 0}; }
Bytes call_far(std::uint8_t selector) { return {0x9A, 0, 0, 0, 0, selector, 0}; }

// A case in which the entry at 0x30 of the GDT is loaded.
CauseCase entry(const char* name, Vector vector, const Bytes& code, const Descriptor& descriptor,
                std::string cause, unsigned rpl = 0, bool at_cpl_3 = false) {
  return {name,
          vector,
          0x30,
          code,
          [=](Guest& guest) {
            guest.put_descriptor(0x30, descriptor);
            guest.registers.rax = 0x30 + rpl;
            if (at_cpl_3) guest.enter_cpl_3();
          },
          std::move(cause)};
}
// The same in IA-32e mode.
CauseCase entry64(const char* name, Vector vector, const Bytes& code, const Descriptor& descriptor,
                  std::string cause) {
  return {name,
          vector,
          0x30,
          code,
          [=](Guest& guest) {
            guest.enter_64_bit();
            guest.put_descriptor(0x30, descriptor);
            guest.registers.rax = 0x30;
            guest.put(0x4000, 0x30ULL << 32U, 6);
          },
          std::move(cause)};
}

class SelectorRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(SelectorRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

INSTANTIATE_TEST_SUITE_P(
    Data, SelectorRules,
    ::testing::Values(
        entry("OfAnyKind", kGp, kMovDsAx, Data32{}, "DPL 0, present"),
        entry("ReadOnlyIsData", kGp, kMovDsAx, Data32{.writable = false}, "DPL 0, present"),
        entry("ReadableCode", kGp, kMovDsAx, Code32{}, "DPL 0, present"),
        entry("ExecuteOnlyCode", kGp, kMovDsAx, Code32{.readable = false},
              ": a data segment register requires data or readable code"),
        entry("Tss", kGp, kMovDsAx, Tss32{},
              ": a data segment register requires data or readable code"),
        entry("Null", kGp, kMovDsAx, NullDescriptor{}, ": it is null"),
        entry("RplOverDpl", kGp, kMovDsAx, Data32{.dpl = 2},
              ": a data segment requires a DPL of at least CPL and RPL: DPL is 2, CPL 0, RPL 3", 3),
        entry("RplIsDpl", kGp, kMovDsAx, Data32{.dpl = 3}, "DPL 3, present", 3),
        entry("CplOverDpl", kGp, kMovDsAx, Data32{.dpl = 2},
              ": a data segment requires a DPL of at least CPL and RPL: DPL is 2, CPL 3, RPL 0", 0,
              true),
        entry("CplIsDpl", kGp, kMovDsAx, Data32{.dpl = 3}, "DPL 3, present", 0, true),
        entry("CodeOfAnInnerLevel", kGp, kMovDsAx, Code32{.dpl = 2},
              ": a data segment requires a DPL of at least CPL and RPL: DPL is 2, CPL 3, RPL 0", 0,
              true),
        entry("ConformingCodeOfAnInnerLevel", kGp, kMovDsAx, Code32{.dpl = 2, .conforming = true},
              "DPL 2, present", 0, true),
        entry("NotPresent", kNp, kMovDsAx, Data32{.present = false},
              "not present: it is not present")),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Stack, SelectorRules,
    ::testing::Values(entry("Writable", kGp, kMovSsAx, Data32{}, "DPL 0, present"),
                      entry("ReadOnly", kGp, kMovSsAx, Data32{.writable = false},
                            ": SS requires writable data"),
                      entry("Code", kGp, kMovSsAx, Code32{}, ": SS requires writable data"),
                      entry("DplOver", kGp, kMovSsAx, Data32{.dpl = 1},
                            ": SS requires DPL = RPL = CPL: DPL is 1, RPL 0, CPL 0"),
                      entry("RplOver", kGp, kMovSsAx, Data32{},
                            ": SS requires DPL = RPL = CPL: DPL is 0, RPL 1, CPL 0", 1),
                      entry("RplUnderCpl", kGp, kMovSsAx, Data32{.dpl = 3},
                            ": SS requires DPL = RPL = CPL: DPL is 3, RPL 2, CPL 3", 2, true),
                      entry("AtCpl3", kGp, kMovSsAx, Data32{.dpl = 3}, "DPL 3, present", 3, true),
                      entry("NotPresent", kSs, kMovSsAx, Data32{.present = false},
                            "not present: it is not present")),
    [](const auto& test) { return std::string{test.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Code, SelectorRules,
    ::testing::Values(
        entry("SameLevel", kGp, jmp_far(0x30), Code32{}, "DPL 0, present"),
        entry("Data", kGp, jmp_far(0x30), Data32{}, ": a far transfer requires code or a gate"),
        entry("LdtDescriptor", kGp, jmp_far(0x30), Ldt{},
              ": a far transfer requires code or a gate"),
        entry("DplOverCpl", kGp, jmp_far(0x30), Code32{.dpl = 1},
              ": code requires DPL = CPL and RPL <= CPL: DPL is 1, CPL 0, RPL 0"),
        entry("DplUnderCpl", kGp, jmp_far(0x30), Code32{.dpl = 2},
              ": code requires DPL = CPL and RPL <= CPL: DPL is 2, CPL 3, RPL 0", 0, true),
        entry("RplOverCpl", kGp, jmp_far(0x31), Code32{},
              ": code requires DPL = CPL and RPL <= CPL: DPL is 0, CPL 0, RPL 1"),
        entry("RplUnderCpl", kGp, jmp_far(0x30), Code32{.dpl = 3}, "DPL 3, present", 0, true),
        entry("RplIsCpl", kGp, jmp_far(0x33), Code32{.dpl = 3}, "DPL 3, present", 0, true),
        entry("ConformingDplOverCpl", kGp, jmp_far(0x30), Code32{.dpl = 1, .conforming = true},
              ": conforming code requires a DPL of at most CPL: DPL is 1, CPL 0"),
        entry("ConformingDplIsCpl", kGp, jmp_far(0x30), Code32{.conforming = true},
              "conforming, DPL 0, present"),
        entry("ConformingDplUnderCpl", kGp, jmp_far(0x30), Code32{.dpl = 2, .conforming = true},
              "DPL 2, present", 0, true),
        entry("NotPresent", kNp, jmp_far(0x30), Code32{.present = false}, ": it is not present"),
        entry("ConformingNotPresent", kNp, jmp_far(0x30),
              Code32{.conforming = true, .present = false}, ": it is not present"),
        entry("GateDplUnderCpl", kGp, call_far(0x30), CallGate32{.selector = 8, .dpl = 2},
              ": a gate requires a DPL of at least CPL and RPL: DPL is 2, CPL 3, RPL 0", 0, true),
        entry("GateDplUnderRpl", kGp, call_far(0x31), CallGate32{.selector = 8, .dpl = 0},
              ": a gate requires a DPL of at least CPL and RPL: DPL is 0, CPL 0, RPL 1"),
        entry("GateDplIsRpl", kGp, call_far(0x33), CallGate32{.selector = 8, .dpl = 3},
              "DPL 3, present", 0, true),
        entry("GateNotPresent", kNp, call_far(0x30), CallGate32{.selector = 8, .present = false},
              ": it is not present"),
        entry("TaskGateDplUnderRpl", kGp, call_far(0x31), TaskGate{.selector = 0x28},
              ": a gate requires a DPL of at least CPL and RPL: DPL is 0, CPL 0, RPL 1"),
        entry("TssDplUnderRpl", kGp, jmp_far(0x31), Tss32{},
              ": a TSS requires a DPL of at least CPL and RPL: DPL is 0, CPL 0, RPL 1"),
        entry64("TssInIa32eMode", kGp, kCallFarMemory, Tss64{},
                ": IA-32e mode has no task switches"),
        entry64("LAndD", kGp, kCallFarMemory, RawDescriptor{.low = 0x00EF9A000000FFFF},
                ": L and D are both set"),
        entry64("L", kGp, kCallFarMemory, RawDescriptor{.low = 0x00AF9A000000FFFF},
                "DPL 0, present")),
    kName);

INSTANTIATE_TEST_SUITE_P(
    System, SelectorRules,
    ::testing::Values(
        entry("LtrOfATss", kGp, kLtrAx, Tss32{}, "DPL 0, present"),
        entry("LtrOfA16BitTss", kGp, kLtrAx, Tss16{}, "DPL 0, present"),
        entry("LtrOfABusyTss", kGp, kLtrAx, Tss32{.busy = true},
              ": LTR requires a TSS that is not busy"),
        entry("LtrOfData", kGp, kLtrAx, Data32{}, ": LTR requires a TSS"),
        entry("LtrNotPresent", kNp, kLtrAx, Tss32{.present = false}, ": it is not present"),
        entry64("LtrOfATss64", kGp, kLtrAx, Tss64{}, "DPL 0, present"),
        entry64("LtrOfA32BitTypeBusy", kGp, kLtrAx, Tss64{.busy = true},
                ": LTR requires a TSS that is not busy"),
        entry64("LtrWithAnUpperType", kGp, kLtrAx,
                RawDescriptor{.low = 0x0000890000000067, .high = 0x0000090000000000},
                ": bits 12:8 of its last doubleword are not 0"),
        entry64("LtrWithAnUpperS", kGp, kLtrAx,
                RawDescriptor{.low = 0x0000890000000067, .high = 0x0000100000000000},
                ": bits 12:8 of its last doubleword are not 0"),
        entry64("LtrOfA16BitTssInIa32eMode", kGp, kLtrAx, RawDescriptor{.low = 0x0000810000000067},
                ": LTR requires a TSS"),
        entry64("LtrWithOtherUpperBits", kGp, kLtrAx,
                RawDescriptor{.low = 0x0000890000000067, .high = 0xFFFFE0FF00000000},
                "DPL 0, present"),
        entry("LldtOfAnLdt", kGp, kLldtAx, Ldt{}, "DPL 0, present"),
        entry("LldtOfData", kGp, kLldtAx, Data32{}, ": LLDT requires an LDT"),
        entry("LldtNotPresent", kNp, kLldtAx, Ldt{.present = false}, ": it is not present"),
        CauseCase{"LtrFromTheLdt", kGp, 0x34, kLtrAx,
                  [](Guest& guest) {
                    guest.registers.ldt = {.base = Gva{Guest::kGdt}, .limit = 0x7F};
                    guest.put_descriptor(0x30, Tss32{});
                    guest.registers.rax = 0x34;
                  },
                  ": ltr requires a selector of the GDT"}),
    kName);

// What a far return (or IRET) to `cs` pops, of 4 bytes each.
auto returns_to(std::uint16_t cs, std::uint16_t ss, bool at_cpl_3 = false, unsigned ss_slot = 3) {
  return [=](Guest& guest) {
    guest.put(Guest::kStack + 4, cs, 4);
    guest.put(Guest::kStack + 4 * ss_slot, ss, 4);
    guest.put_descriptor(0x30, Code32{.dpl = 2});
    guest.put_descriptor(0x38, Code32{.dpl = 2, .conforming = true});
    guest.put_descriptor(0x40, Data32{.dpl = 2});
    if (at_cpl_3) guest.enter_cpl_3();
  };
}

INSTANTIATE_TEST_SUITE_P(
    Returns, SelectorRules,
    ::testing::Values(
        CauseCase{"ToData", kGp, 0x10, kRetFar, returns_to(0x10, 0), ": a return requires code"},
        CauseCase{"ToCode", kGp, 0x08, kRetFar, returns_to(0x08, 0), "DPL 0, present"},
        CauseCase{"DplIsNotRpl", kGp, 0x30, kRetFar, returns_to(0x33, 0x23),
                  ": a return requires DPL = RPL: DPL is 2, RPL 3"},
        CauseCase{"DplIsRpl", kGp, 0x30, kRetFar, returns_to(0x32, 0x42), "DPL 2, present"},
        CauseCase{"ConformingDplOverRpl", kGp, 0x38, kRetFar, returns_to(0x39, 0x41),
                  ": a return requires a DPL of at most RPL for conforming code: DPL is 2, RPL 1"},
        CauseCase{"ConformingDplIsRpl", kGp, 0x38, kRetFar, returns_to(0x3A, 0x42),
                  "DPL 2, present"},
        CauseCase{"ConformingDplUnderRpl", kGp, 0x38, kRetFar, returns_to(0x3B, 0x23),
                  "DPL 2, present"},
        CauseCase{"ToAnInnerLevel", kGp, 0x08, kRetFar, returns_to(0x08, 0, true),
                  ": a return can't go to an inner level: RPL is 0, CPL 3"},
        CauseCase{"ToTheSameLevel", kGp, 0x18, kRetFar, returns_to(0x1B, 0, true),
                  "DPL 3, present"},
        CauseCase{"ToAnOuterLevelWithItsStack", kGp, 0x20, kRetFar, returns_to(0x1B, 0x23),
                  "DPL 3, present"},
        CauseCase{"ToAnOuterLevelWithAnInnerStack", kGp, 0x10, kRetFar, returns_to(0x1B, 0x13),
                  ": SS requires DPL = RPL = CPL: DPL is 0, RPL 3, CPL 3"},
        CauseCase{"ThatReleasesParameters",
                  kGp,
                  0x10,
                  {0xCA, 8, 0},
                  returns_to(0x1B, 0x13, false, 5),
                  ": SS requires DPL = RPL = CPL: DPL is 0, RPL 3, CPL 3"},
        CauseCase{"ByIretToAnOuterLevel", kGp, 0x10, kIretd, returns_to(0x1B, 0x13, false, 4),
                  ": SS requires DPL = RPL = CPL: DPL is 0, RPL 3, CPL 3"},
        CauseCase{"CsBeyondTheTable", kGp, 0x80, kRetFar, returns_to(0x80, 0),
                  "selector 0x80, which ret far pops into CS, is beyond the end of the GDT, whose "
                  "limit is 0x7f"},
        CauseCase{"InVirtual8086ModeNothingIsPopped", kGp, 0x80, kIretd,
                  [](Guest& guest) {
                    returns_to(0x80, 0)(guest);
                    guest.registers.rflags.value |= Rflags::kVm;
                  },
                  "selector 0x80 is beyond the end of the GDT, whose limit is 0x7f"},
        CauseCase{"SsBeyondTheTable", kGp, 0x80, kRetFar, returns_to(0x1B, 0x83),
                  "selector 0x80, which ret far pops into SS, is beyond the end of the GDT, whose "
                  "limit is 0x7f"},
        CauseCase{"IretqPopsSsAtTheSameLevel", kGp, 0x20, kIretq,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.put(Guest::kStack + 8, 0x08, 8);
                    guest.put(Guest::kStack + 32, 0x20, 8);
                  },
                  ": SS requires DPL = RPL = CPL: DPL is 3, RPL 0, CPL 0"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Tables, SelectorRules,
    ::testing::Values(
        CauseCase{"LastEntry", kGp, 0x78, kMovDsAx, nullptr,
                  "GDT entry 0x78 is a null descriptor: "
                  "it is null"},
        CauseCase{"EndInsideAnEntry", kGp, 0x78, kMovDsAx,
                  [](Guest& guest) { guest.registers.gdt.limit = 0x7E; },
                  "selector 0x78 is beyond the end of the GDT, whose limit is 0x7e"},
        CauseCase{"BehindTheLastEntry", kGp, 0x80, kMovDsAx, nullptr,
                  "selector 0x80 is beyond the end of the GDT, whose limit is 0x7f"},
        CauseCase{"OutsideMemory", kGp, 0x30, kMovDsAx,
                  [](Guest& guest) { guest.registers.gdt.base = Gva{0x40000000}; },
                  "selector 0x30: the GDT can't be read there"},
        CauseCase{"NoLdt", kGp, 0x34, kMovDsAx, nullptr,
                  "selector 0x34 is of the LDT, and there is none"},
        CauseCase{
            "LdtIsShorter", kGp, 0x34, kMovDsAx,
            [](Guest& guest) { guest.registers.ldt = {.base = Gva{Guest::kGdt}, .limit = 0x2F}; },
            "selector 0x34 is beyond the end of the LDT, whose limit is 0x2f"},
        CauseCase{"HalfATss", kGp, 0x78, kLtrAx,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.put_descriptor(0x78, Tss64{});
                  },
                  "GDT entry 0x78 has 16 bytes in IA-32e mode, and the limit of the GDT, 0x7f, "
                  "ends in it"},
        CauseCase{"AllButAByteOfATss", kGp, 0x70, kLtrAx,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.gdt.limit = 0x7E;
                    guest.put_descriptor(0x70, Tss64{});
                  },
                  "GDT entry 0x70 has 16 bytes in IA-32e mode, and the limit of the GDT, 0x7e, "
                  "ends in it"},
        CauseCase{"ATssAtTheEndOfMemory", kGp, 0x70, kLtrAx,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.gdt.base = Gva{guest.memory.size() - 0x78};
                    guest.put(guest.memory.size() - 8, 0x0000'8900'0000'0067, 8);
                  },
                  "selector 0x70: the GDT can't be read there"},
        CauseCase{"AllOfATss", kGp, 0x70, kLtrAx,
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.put_descriptor(0x70, Tss64{});
                  },
                  "64-bit TSS, base 0x0, limit 0x67, not busy, DPL 0, present"}),
    kName);

}  // namespace
