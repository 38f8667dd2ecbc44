// Each rule for null selectors: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;

constexpr Vector kGp = Vector::kGeneralProtection;

class NullSelectorRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(NullSelectorRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto ebx(std::uint64_t value) {
  return [=](Guest& guest) { guest.registers.rbx = value; };
}
auto in_64_bit(std::uint64_t rax) {
  return [=](Guest& guest) {
    guest.enter_64_bit();
    guest.registers.rax = rax;
  };
}
auto ax(std::uint64_t value) {
  return [=](Guest& guest) { guest.registers.rax = value; };
}
auto pops(std::uint64_t cs, std::uint64_t ss, bool is_64_bit, unsigned size) {
  return [=](Guest& guest) {
    if (is_64_bit) guest.enter_64_bit();
    guest.put(Guest::kStack + size, cs, size);
    guest.put(Guest::kStack + 4 * size, ss, size);
  };
}
INSTANTIATE_TEST_SUITE_P(
    NullSelectors, NullSelectorRules,
    ::testing::Values(
        CauseCase{"MovSs",
                  kGp,
                  0,
                  {0x8E, 0xD0},
                  ax(3),
                  "selector 0x3 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"MovSsOfTheLdtsFirst", kGp, 0, {0x8E, 0xD0}, ax(4), ""},
        CauseCase{"MovSsOfMemory",
                  kGp,
                  0,
                  {0x8E, 0x13},
                  ebx(0x4000),
                  "selector 0x0 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"MovSsOfMemoryThatIsNotNull",
                  kGp,
                  0,
                  {0x8E, 0x13},
                  [](Guest& guest) {
                    guest.registers.rbx = 0x4000;
                    guest.put(0x4000, 0x300, 2);
                  },
                  ""},
        CauseCase{"MovDs", kGp, 0, {0x8E, 0xD8}, ax(0), ""},
        CauseCase{"Lldt", kGp, 0, {0x0F, 0x00, 0xD0}, ax(0), ""},
        CauseCase{"Ltr",
                  kGp,
                  0,
                  {0x0F, 0x00, 0xD8},
                  ax(0),
                  "selector 0x0 is a null selector (index 0), which TR can't be loaded with"},
        CauseCase{"PopSs",
                  kGp,
                  0,
                  {0x17},
                  nullptr,
                  "selector 0x0 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"Lss",
                  kGp,
                  0,
                  {0x0F, 0xB2, 0x03},
                  ebx(0x4000),
                  "selector 0x0 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"LssOfAnother",
                  kGp,
                  0,
                  {0x0F, 0xB2, 0x03},
                  [](Guest& guest) {
                    guest.registers.rbx = 0x4000;
                    guest.put(0x4004, 0x10, 2);
                  },
                  ""},
        CauseCase{"JmpFar",
                  kGp,
                  0,
                  {0xEA, 0, 0, 0, 0, 3, 0},
                  nullptr,
                  "selector 0x3 is a null selector (index 0), which CS can't be loaded with"},
        CauseCase{"CallFarThroughMemory",
                  kGp,
                  0,
                  {0xFF, 0x1B},
                  ebx(0x4000),
                  "selector 0x0 is a null selector (index 0), which CS can't be loaded with"},
        CauseCase{"InRealMode",
                  kGp,
                  0,
                  {0x8E, 0xD0},
                  [](Guest& guest) { guest.registers.cr0.value = 0; },
                  ""},
        CauseCase{"MovSsIn64BitCode", kGp, 0, {0x8E, 0xD0}, in_64_bit(0), ""},
        CauseCase{"MovSsIn64BitCodeAtCpl3",
                  kGp,
                  0,
                  {0x8E, 0xD0},
                  [](Guest& guest) {
                    in_64_bit(3)(guest);
                    guest.enter_cpl_3();
                  },
                  "selector 0x3 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"MovSsIn64BitCodeWithAnotherRpl",
                  kGp,
                  0,
                  {0x8E, 0xD0},
                  in_64_bit(1),
                  "selector 0x1 is a null selector (index 0), which SS can't be loaded with"},
        CauseCase{"MovSsInCompatibilityMode",
                  kGp,
                  0,
                  {0x8E, 0xD0},
                  [](Guest& guest) {
                    guest.enter_64_bit();
                    guest.registers.cs = Segment::flat_code32(0x08);
                  },
                  "which SS can't be loaded with outside 64-bit code, and CS.L is 0"},
        CauseCase{"IretdCs",
                  kGp,
                  0,
                  {0xCF},
                  pops(3, 0x10, false, 4),
                  "iretd pops 0x3 into CS, a null selector"},
        CauseCase{"IretdSs",
                  kGp,
                  0,
                  {0xCF},
                  pops(0x1B, 0, false, 4),
                  "iretd pops 0x0 into SS, a null selector"},
        CauseCase{"IretdWithoutSs", kGp, 0, {0xCF}, pops(0x08, 0, false, 4), ""},
        CauseCase{"IretdIn64BitCode",
                  kGp,
                  0,
                  {0xCF},
                  pops(0, 0x10, true, 4),
                  "iretd pops 0x0 into CS, a null selector; 64-bit code returns by IRETQ"},
        CauseCase{"IretqSsAtCpl0", kGp, 0, {0x48, 0xCF}, pops(0x08, 0, true, 8), ""},
        CauseCase{"IretqSsToCpl3",
                  kGp,
                  0,
                  {0x48, 0xCF},
                  pops(0x1B, 0, true, 8),
                  "iretq pops 0x0 into SS, a null selector"},
        CauseCase{"RetFarCs",
                  kGp,
                  0,
                  {0xCB},
                  pops(0, 0x10, false, 4),
                  "ret far pops 0x0 into CS, a null selector"}),
    kName);

}  // namespace
