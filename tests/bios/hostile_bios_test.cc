// Every state that a BIOS may leave.
#include <hltest/hltest.h>

#include <set>

#include "../state_name.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;

class HostileBios : public BootSectorTest, public ::testing::WithParamInterface<BiosState> {
 protected:
  // Whether a state is of a BIOS that lacks what the guest needs.
  [[nodiscard]] static bool lacks(const char* what) { return GetParam().name == what; }
};

TEST_P(HostileBios, TheTwoStagesDoNotDependOnIt) {
  const Disk disk{sector(guests::load_second_stage), at(1, guests::second_stage)};
  const Outcome outcome = run_in(GetParam(), disk);
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  if (lacks("no memory map")) {
    EXPECT_EQ(outcome.mode, CpuMode::kReal16) << "it says that it stops then";
    return;
  }
  EXPECT_EQ(outcome.mode, CpuMode::kLong64);
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
}

TEST_P(HostileBios, TheGuestFindsTheState) {
  const BiosState& state = GetParam();
  const Outcome outcome = run_in(state, Disk{sector(guests::hello_sector)});
  EXPECT_EQ(outcome.start.dl(), state.drive);
  EXPECT_EQ(outcome.start.code_address(), Gva{0x7C00});
  if (lacks("CS:IP = 07C0:0000")) {
    EXPECT_EQ(outcome.start.cs.selector, 0x07C0);
    EXPECT_EQ(outcome.start.rip, 0U);
  }
  EXPECT_EQ(outcome.start.ds.selector, lacks("DS = 5A5Ah") ? 0x5A5A : 0);
  EXPECT_EQ(outcome.start.es.selector, lacks("ES = 5A5Ah") ? 0x5A5A : 0);
  EXPECT_EQ(outcome.start.rsp, lacks("SS:SP = 9000:FFFE") ? 0xFFFEU : 0x6F00U);
  EXPECT_EQ(outcome.start.ss.selector, lacks("SS:SP = 9000:FFFE") ? 0x9000 : 0);
  EXPECT_EQ(outcome.start.rflags.df(), lacks("DF set"));
  EXPECT_EQ(outcome.start.rflags.if_(), !lacks("IF clear"));
  EXPECT_EQ(outcome.start.rbx, lacks("general registers = DEADBEEFh") ? 0xDEADBEEFU : 0U);
  // hello_sector does not open the gate.
  EXPECT_EQ(outcome.tables().translate(Gva{0x10'7DFF}),
            lacks("A20 closed") ? Gpa{0x7DFF} : Gpa{0x10'7DFF});
  EXPECT_EQ(memory().read<std::uint8_t>(Gpa{0x8000}), lacks("memory full of CCh") ? 0xCC : 0);
  EXPECT_EQ(memory().read<std::uint16_t>(Gpa{0x413}), lacks("512 KiB of memory") ? 512 : 639);
}

INSTANTIATE_TEST_SUITE_P(States, HostileBios, ::testing::ValuesIn(hostile_bios_states()),
                         state_name);

TEST(HostileBiosStates, AreDifferentAndBeginWithTheUsualOne) {
  std::set<std::string> names;
  for (const BiosState& state : hostile_bios_states(kFirstFloppy)) names.insert(state.name);
  EXPECT_EQ(names.size(), hostile_bios_states().size());
  EXPECT_EQ(names.size(), 16U) << "README.md tells how many";
  EXPECT_EQ(hostile_bios_states(kFirstFloppy).front().name, "as usual");
  EXPECT_EQ(hostile_bios_states(kFirstFloppy).front().drive, kFirstFloppy);
  EXPECT_EQ(hostile_bios_states(kFirstFloppy).back().drive, 1);
}

}  // namespace
