// What a start state takes and refuses: each privilege level, paging mode, selector, gate and
// register. None of this needs KVM.
#include <hltest/hltest.h>
#include <hltest/x86/register_name.h>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::HasSubstr;

TEST(StartListsTest, AGuestStartsAtCpl0OrOutsideRealModeAtCpl3) {
  for (const CpuMode mode : {CpuMode::kProtected16, CpuMode::kProtected32, CpuMode::kLong64}) {
    Machine machine{mode};
    for (const unsigned cpl : {3U, 0U}) {
      EXPECT_NO_THROW(machine.set_cpl(cpl));
      EXPECT_EQ(machine.start_state().registers.values().cpl(), cpl) << to_string(mode);
    }
    for (const unsigned cpl : {1U, 2U, 4U}) EXPECT_THROW(machine.set_cpl(cpl), SetupError);
  }
  Machine real{CpuMode::kReal16};
  for (const unsigned cpl : {1U, 2U, 3U}) EXPECT_THROW(real.set_cpl(cpl), SetupError);
}

TEST(StartListsTest, EachModeHasItsPagingModes) {
  using enum PagingMode;
  constexpr std::array kPagingModes = {kNone, k32Bit, kPae, k4Level, k5Level};
  struct Row {
    CpuMode mode;
    std::array<bool, 5> can;
  };
  for (const auto& [mode, can] : {Row{CpuMode::kReal16, {true, false, false, false, false}},
                                  Row{CpuMode::kProtected16, {true, true, true, false, false}},
                                  Row{CpuMode::kProtected32, {true, true, true, false, false}},
                                  Row{CpuMode::kCompatibility32, {false, false, false, true, true}},
                                  Row{CpuMode::kLong64, {false, false, false, true, true}}}) {
    for (std::size_t i = 0; i < kPagingModes.size(); ++i) {
      Machine machine{mode};
      const std::string error =
          message_of<SetupError>([&] { machine.set_paging(kPagingModes.at(i)); });
      const std::string expected = can.at(i) ? "(nothing was thrown)"
                                             : to_string(kPagingModes.at(i)) +
                                                   ": a guest that starts in " + to_string(mode) +
                                                   " can't have it";
      EXPECT_EQ(error, expected);
    }
  }
}

TEST(StartListsTest, PagingSetsTheBitsOfItsMode) {
  using enum PagingMode;
  struct Row {
    PagingMode paging;
    std::uint64_t cr0;
    std::uint64_t cr4;
    std::uint64_t efer;
  };
  for (const auto& [paging, cr0, cr4, efer] :
       {Row{kNone, 0, 0, 0}, Row{k32Bit, Cr0::kPg | Cr0::kWp, Cr4::kPse, 0},
        Row{kPae, Cr0::kPg | Cr0::kWp, Cr4::kPae, Efer::kNxe}}) {
    Machine machine{CpuMode::kProtected32};
    machine.set_paging(paging);
    const Registers registers = machine.start_state().registers.values();
    EXPECT_EQ(registers.cr0.value, Cr0::kPe | Cr0::kEt | Cr0::kNe | cr0);
    EXPECT_EQ(registers.cr4.value, cr4);
    EXPECT_EQ(registers.efer.value, efer);
    EXPECT_EQ(registers.cr3.value, paging == kNone ? 0 : 0xF000'6000U);
  }
  Machine machine{CpuMode::kLong64};
  machine.set_paging(k5Level);
  const Registers registers = machine.start_state().registers.values();
  EXPECT_EQ(registers.cr4.value, Cr4::kPae | Cr4::kLa57 | Cr4::kOsfxsr | Cr4::kOsxmmexcpt);
}

std::string error_of(CpuMode mode, unsigned selector, const Descriptor& descriptor) {
  Machine machine{mode};
  return message_of<DescriptorError>(
      [&] { machine.set_descriptor(static_cast<std::uint16_t>(selector), descriptor); });
}

constexpr const char* kNothing = "(nothing was thrown)";

TEST(StartListsTest, SelectorsThatATestCanGive) {
  constexpr CpuMode k32 = CpuMode::kProtected32;
  constexpr CpuMode k64 = CpuMode::kLong64;
  for (const unsigned null : {0U, 1U, 2U, 3U}) {
    EXPECT_THAT(error_of(k32, null, Data32{}), HasSubstr("this is the null selector"));
  }
  for (const unsigned free : {0x04U, 0x08U, 0x6BU, 0x74U, 0x80U, 0xFF8U, 0xFFBU, 0xFFCU, 0xFFFU}) {
    EXPECT_EQ(error_of(k32, free, Data32{}), kNothing) << std::hex << free;
  }
  for (const unsigned ldt : {0x70U, 0x73U, 0x78U, 0x7BU}) {
    EXPECT_THAT(error_of(k32, ldt, Data32{}), HasSubstr("free are 0x80 and up")) << std::hex << ldt;
  }
  for (const unsigned beyond : {0x1000U, 0x1004U, 0xFFF8U}) {
    EXPECT_THAT(error_of(k32, beyond, Data32{}), HasSubstr("have room up to 0xfff"));
  }
  EXPECT_EQ(error_of(k64, 0xFF0, Tss64{}), kNothing);
  EXPECT_THAT(error_of(k64, 0xFF8, Tss64{}), HasSubstr("have room up to 0xfff"));
}

TEST(StartListsTest, GatesThatBelongInTheIdtAndThoseThatDoNot) {
  const Descriptor only_in_the_idt[] = {InterruptGate16{}, InterruptGate32{}, TrapGate16{},
                                        TrapGate32{}};
  for (const Descriptor& gate : only_in_the_idt) {
    EXPECT_THAT(error_of(CpuMode::kProtected32, 0x80, gate), HasSubstr("it belongs in the IDT"));
    Machine machine{CpuMode::kProtected32};
    EXPECT_NO_THROW(machine.set_gate(Vector{255}, gate));
  }
  for (const Descriptor& gate : {Descriptor{InterruptGate64{}}, Descriptor{TrapGate64{}}}) {
    EXPECT_THAT(error_of(CpuMode::kLong64, 0x80, gate), HasSubstr("it belongs in the IDT"));
    Machine machine{CpuMode::kLong64};
    EXPECT_NO_THROW(machine.set_gate(Vector{0}, gate));
    Machine legacy{CpuMode::kProtected32};
    EXPECT_THROW(legacy.set_gate(Vector{0}, gate), DescriptorError);
  }
  for (const Descriptor& anywhere : {Descriptor{TaskGate{}}, Descriptor{NullDescriptor{}}}) {
    EXPECT_EQ(error_of(CpuMode::kProtected32, 0x80, anywhere), kNothing);
    Machine machine{CpuMode::kProtected32};
    EXPECT_NO_THROW(machine.set_gate(Vector{0}, anywhere));
  }
  const Descriptor not_in_the_idt[] = {Code32{}, Code64{}, Data32{},     Ldt{},
                                       Tss32{},  Tss16{},  CallGate32{}, IvtEntry{}};
  for (const Descriptor& descriptor : not_in_the_idt) {
    Machine machine{CpuMode::kProtected32};
    EXPECT_THAT(message_of<DescriptorError>([&] { machine.set_gate(Vector{0}, descriptor); }),
                HasSubstr("has gates in its IDT"));
  }
}

TEST(StartListsTest, TheGdtThatAGuestStartsWith) {
  struct Row {
    std::uint16_t selector;
    unsigned bits;
    bool is_code;
    unsigned dpl;
  };
  constexpr Row kRows[] = {{0x08, 32, true, 0},  {0x10, 32, false, 0}, {0x18, 64, true, 0},
                           {0x20, 32, false, 0}, {0x2B, 32, true, 3},  {0x33, 32, false, 3},
                           {0x3B, 64, true, 3},  {0x50, 16, true, 0},  {0x58, 16, false, 0},
                           {0x63, 16, true, 3},  {0x6B, 16, false, 3}};
  for (const CpuMode mode : {CpuMode::kProtected32, CpuMode::kLong64}) {
    for (const Row& row : kRows) {
      SCOPED_TRACE(row.selector);
      RegisterSettings registers = Machine{mode}.start_state().registers;
      registers.set("gs", row.selector, mode);
      const Segment segment = registers.values().gs;
      EXPECT_EQ(segment.selector, row.selector);
      EXPECT_EQ(segment.base, Gva{0});
      EXPECT_EQ(segment.limit, row.bits == 16 ? 0xFFFFU : 0xFFFF'FFFFU);
      EXPECT_EQ(segment.type, row.is_code ? 0xB : 0x3);
      EXPECT_EQ(segment.dpl, row.dpl);
      EXPECT_EQ(segment.l, row.bits == 64);
      EXPECT_EQ(segment.db, row.bits == 32);
    }
  }
}

TEST(StartListsTest, EachRegisterCanBeGiven) {
  for (const char* const name :
       {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",  "r9",  "r10",  "r11",
        "r12", "r13", "r14", "r15", "rip", "cr0", "cr2", "cr3", "cr4", "cr8", "efer", "rflags"}) {
    Machine machine{CpuMode::kLong64};
    machine.registers().set(name, 0x5A, CpuMode::kLong64);
    machine.set_memory_size(32 * kMiB);  // which changes the defaults of the others
    const std::vector<NamedValue> values = named_values(machine.start_state().registers.values());
    const auto found = std::ranges::find(values, name, &NamedValue::name);
    ASSERT_NE(found, values.end());
    EXPECT_EQ(found->value, 0x5AU) << name;
  }
  for (const char* const name : {"cs", "ds", "es", "fs", "gs", "ss"}) {
    Machine machine{CpuMode::kReal16};
    machine.registers().set(name, 0xFFFF, CpuMode::kReal16);
    const Registers values = machine.start_state().registers.values();
    EXPECT_EQ(find_segment(values, name)->selector, 0xFFFF) << name;
    EXPECT_EQ(find_segment(values, name)->base, Gva{0xF'FFF0}) << name;
    EXPECT_THROW(machine.registers().set(name, 0x10000, CpuMode::kReal16), RegisterError) << name;
  }
}

TEST(StartListsTest, AllSegmentsAreSix) {
  RegisterSettings registers;
  registers.set_all_segments(Segment::real_mode(0x77));
  const Registers values = registers.values();
  for (const char* const name : {"cs", "ds", "es", "fs", "gs", "ss"}) {
    EXPECT_EQ(find_segment(values, name)->selector, 0x77) << name;
  }
}

}  // namespace
