// `Raised` matches each exception by the name that it has in exceptions.h.
#include <hltest/hltest.h>

#include <string>
#include <vector>

namespace {

using namespace hltest;

struct Case {
  const char* name;
  ExceptionPattern pattern;
  std::vector<std::uint8_t> code;  // 64-bit, at 0x1000
  StartRegisters start{};
  unsigned cpl = 0;
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class RaisedNames : public LongModeTest, public ::testing::WithParamInterface<Case> {};

// The emulated processor of a test host checks neither segment limits nor what these need.
constexpr const char* kNoChecks = "this processor is emulated, and does not raise it";

TEST_P(RaisedNames, AreMatched) {
  const Case& test = GetParam();
  if (test.pattern.vector == Vector::kSimdFloatingPoint && !HostCan(Ability::kSegmentLimitChecks)) {
    GTEST_SKIP() << kNoChecks;
  }
  machine().set_cpl(test.cpl);
  machine().set_descriptor(kFirstFreeSelector, Data32{.present = false});
  const Outcome outcome = run(LongModeImage{test.name, test.code}, test.start);
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(test.pattern));
  for (unsigned vector = 0; vector < 32; ++vector) {
    const ExceptionPattern other{.vector = static_cast<Vector>(vector)};
    if (other.vector == test.pattern.vector) continue;
    EXPECT_THAT(outcome, ::testing::Not(Raised(other)));
  }
}

constexpr std::uint64_t kTrap = 0x102;  // TF

INSTANTIATE_TEST_SUITE_P(
    LongMode, RaisedNames,
    ::testing::Values(
        Case{"DivideError", DivideError(), {0xF7, 0xF3}},  // div ebx
        // TF is set before the NOP: the trap comes after it.
        Case{"Debug", Debug(), {0x90, 0x90, 0xF4}, {.rflags = kTrap}},
        Case{"Breakpoint", Breakpoint(), {0xCC, 0xF4}},
        Case{"InvalidOpcode", InvalidOpcode(), {0x0F, 0x0B}},
        // mov rax, cr0; or al, 8 (TS); mov cr0, rax; fninit
        Case{"DeviceNotAvailable",
             DeviceNotAvailable(),
             {0x0F, 0x20, 0xC0, 0x0C, 0x08, 0x0F, 0x22, 0xC0, 0xDB, 0xE3, 0xF4}},
        // mov ss, eax / mov ds, eax / ltr ax / mov ds, eax beyond the GDT
        Case{"StackFault", StackFault{.selector = 0x80}, {0x8E, 0xD0, 0xF4}, {.rax = 0x80}},
        Case{"SegmentNotPresent",
             SegmentNotPresent{.selector = 0x80},
             {0x8E, 0xD8, 0xF4},
             {.rax = 0x80}},
        Case{"GeneralProtection",
             GeneralProtection{.selector = 0x1000},
             {0x8E, 0xD8, 0xF4},
             {.rax = 0x1000}},
        // mov eax, [rbx]
        Case{"PageFault",
             PageFault{.address = Gva{0x4000'0000}, .error_code = 0},
             {0x8B, 0x03, 0xF4},
             {.rbx = 0x4000'0000}},
        // At CPL 3, where software KVMs run the arithmetic too.
        // fninit; push 0; fldcw [rsp]; fld1; fldz; fdivp; fwait
        Case{"X87FloatingPoint",
             X87FloatingPoint(),
             {0xDB, 0xE3, 0x6A, 0x00, 0xD9, 0x2C, 0x24, 0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9, 0x9B,
              0xF4},
             {},
             3},
        // push 0; ldmxcsr [rsp]; pxor xmm0, xmm0; divss xmm0, xmm0
        Case{"SimdFloatingPoint",
             SimdFloatingPoint(),
             {0x6A, 0x00, 0x0F, 0xAE, 0x14, 0x24, 0x66, 0x0F, 0xEF, 0xC0, 0xF3, 0x0F, 0x5E, 0xC0,
              0xF4},
             {},
             3}),
    [](const auto& each) { return std::string{each.param.name}; });

// Those that need other modes.
TEST_F(RealModeTest, RaisedOverflow) {
  // mov al, 0x7F; add al, 1; into
  EXPECT_THAT(run(RealModeImage{"into", {0xB0, 0x7F, 0x04, 0x01, 0xCE}}), Raised(Overflow()));
}

TEST_F(RealModeTest, RaisedBoundRangeExceeded) {
  memory().write<std::uint32_t>(Gpa{0x5000}, 0x0003'0001);
  // bound ax, [0x5000]
  const Outcome outcome = run(RealModeImage{"bound", {0x62, 0x06, 0x00, 0x50, 0xF4}}, {.rax = 4});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(BoundRangeExceeded()));
}

// The gates for #GP and #NP are not present.
TEST_F(ProtectedModeTest, RaisedDoubleFault) {
  const InterruptGate32 absent{.selector = kCode32Selector, .present = false};
  machine().set_gate(Vector::kSegmentNotPresent, absent);
  machine().set_gate(Vector::kGeneralProtection, absent);
  // mov ds, eax with a selector beyond the GDT: #GP; its delivery #NP
  const Outcome outcome = run(ProtectedModeImage{"df", {0x8E, 0xD8, 0xF4}}, {.rax = 0x1000});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(DoubleFault{.error_code = 0}));
  EXPECT_THAT(outcome, ::testing::Not(Raised(DoubleFault{.error_code = 8})));
}

TEST_F(LongModeTest, RaisedAlignmentCheck) {
  if (!HostCan(Ability::kSegmentLimitChecks)) GTEST_SKIP() << kNoChecks;
  machine().set_cpl(3);
  machine().registers().cr0 = Cr0{machine().registers().cr0.value().value | 1U << 18U};  // AM
  // mov eax, [rbx + 1]
  const Outcome outcome =
      run(LongModeImage{"ac", {0x8B, 0x43, 0x01, 0xF4}}, {.rbx = 0x5000, .rflags = 0x40002});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(AlignmentCheck{.error_code = 0}));
}

// A switch to a task whose TSS is too short.
TEST_F(ProtectedModeTest, RaisedInvalidTss) {
  machine().set_descriptor(kFirstFreeSelector, Tss32{.base = Gva{0x6000}, .limit = 0x20});
  // jmp 0x80:0
  const Outcome outcome = run(ProtectedModeImage{"ts", {0xEA, 0, 0, 0, 0, 0x80, 0x00, 0xF4}});
  HLTEST_SKIP_AT_HOST_LIMIT(outcome);
  EXPECT_THAT(outcome, Raised(InvalidTss{.selector = 0x80}));
  EXPECT_THAT(outcome, ::testing::Not(Raised(InvalidTss{.selector = 0x88})));
}

}  // namespace
