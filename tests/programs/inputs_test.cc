// One snippet and a table of inputs: value-parameterised and typed tests over the fixtures.
#include <hltest/hltest.h>

#include "guests/every_mode.h"

namespace {

using namespace hltest;

struct Addition {
  std::uint16_t left;
  std::uint16_t right;
  std::uint16_t sum;
  bool carry;
  bool zero;
  bool sign;
  bool overflow;
};

class AddTable : public RealModeTest, public ::testing::WithParamInterface<Addition> {};

TEST_P(AddTable, SetsTheSumAndTheFlags) {
  const Addition& addition = GetParam();

  const Outcome outcome = run(guests::add, {.rax = addition.left, .rbx = addition.right});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), addition.sum);
  EXPECT_EQ(outcome.registers.rflags.cf(), addition.carry);
  EXPECT_EQ(outcome.registers.rflags.zf(), addition.zero);
  EXPECT_EQ(outcome.registers.rflags.sf(), addition.sign);
  EXPECT_EQ(outcome.registers.rflags.of(), addition.overflow);
}

INSTANTIATE_TEST_SUITE_P(Sums, AddTable,
                         ::testing::Values(Addition{1, 2, 3, false, false, false, false},
                                           Addition{0, 0, 0, false, true, false, false},
                                           Addition{0xFFFF, 1, 0, true, true, false, false},
                                           Addition{0x7FFF, 1, 0x8000, false, false, true, true},
                                           Addition{0x8000, 0x8000, 0, true, true, false, true}));

template <typename Fixture>
class AddInEveryMode : public Fixture {};

using Fixtures = ::testing::Types<RealModeTest, ProtectedModeTest, LongModeTest>;
TYPED_TEST_SUITE(AddInEveryMode, Fixtures);

TYPED_TEST(AddInEveryMode, AddsAlike) {
  const Outcome outcome = this->run(guests::add, {.rax = 40000, .rbx = 2});

  ASSERT_THAT(outcome, Halted());
  EXPECT_EQ(outcome.registers.ax(), 40002);
}

// What an image may be run by is a matter of its type.
template <typename Fixture, typename Guest>
concept CanRun = requires(Fixture& fixture, const Guest& guest) {
  fixture.run_guest(guest);
};

template <typename Fixture>
struct Open : Fixture {
  template <typename Guest>
  auto run_guest(const Guest& guest) -> decltype(this->run(guest)) {
    return this->run(guest);
  }
};

static_assert(CanRun<Open<RealModeTest>, RealModeImage>);
static_assert(!CanRun<Open<RealModeTest>, LongModeImage>);
static_assert(!CanRun<Open<RealModeTest>, ProtectedModeImage>);
static_assert(!CanRun<Open<LongModeTest>, RealModeImage>);
static_assert(CanRun<Open<LongModeTest>, decltype(guests::add)>);

}  // namespace
