// Input that makes no sense gets one clear error before anything runs.
#include <hltest/hltest.h>

#include <string>

#include "../message_of.h"
#include "guests/every_mode.h"

namespace {

using namespace hltest;
using ::testing::AllOf;
using ::testing::HasSubstr;

// These need no KVM: the error comes before the VM.
template <typename Error>
std::string error_of_run(Machine& machine, const FlatImage& image,
                         const StartRegisters& start = {}) {
  return message_of<Error>([&] { (void)machine.run(image, start); });
}

const FlatImage kHalt{"halt", {0xF4}};

TEST(SetupTest, ImageLargerThanMemory) {
  Machine machine{CpuMode::kProtected32};
  machine.set_memory_size(64 * kKiB);
  EXPECT_EQ(error_of_run<SetupError>(
                machine, FlatImage{"large", std::vector<std::uint8_t>(64 * kKiB, 0x90)}),
            "the image large (0x10000 bytes, loaded at 0x1000) does not fit in the guest's memory, "
            "RAM 0x0-0xffff: load it elsewhere, or give the guest more memory");
}

TEST(SetupTest, ImageOutsideMemoryOrWrapping) {
  Machine machine{CpuMode::kLong64};
  FlatImage image = kHalt;
  image.set_load_address(Gpa{0x1000000});
  EXPECT_THAT(error_of_run<SetupError>(machine, image), HasSubstr("RAM 0x0-0xffffff"));
  FlatImage wrapping{"wrapping", {0x90, 0xF4}, Gpa{~0ULL}};
  EXPECT_THAT(error_of_run<SetupError>(machine, wrapping), HasSubstr("0xffffffffffffffff"));
}

TEST(SetupTest, ImageOverTheFrameworksRegion) {
  Machine protected_mode{CpuMode::kProtected32};
  EXPECT_THAT(error_of_run<SetupError>(protected_mode, FlatImage{"x", {0xF4}, kSystemRegion}),
              HasSubstr("the framework keeps its own tables from 0xf0000000 to 0xffffffff"));
  Machine real_mode{CpuMode::kReal16};
  const FlatImage across{"x", std::vector<std::uint8_t>(32, 0x90), Gpa{0xEFFF0}};
  EXPECT_THAT(error_of_run<SetupError>(real_mode, across),
              HasSubstr("the framework keeps its own tables from 0xf0000 to 0xf1fff"));
}

TEST_F(RealModeTest, AnImageCanFillTheRom) {
  std::vector<std::uint8_t> code(kRomSize - kRomFreeOffset, 0x90);
  code.front() = 0xF4;
  const Gpa rom = kRomRegion + kRomFreeOffset;
  EXPECT_THAT(run(RealModeImage{"rom", code, rom}), Halted());
  code.push_back(0x90);
  EXPECT_THROW((void)run(RealModeImage{"rom", code, rom}), SetupError) << "a byte beyond 1 MiB";
}

TEST(SetupTest, EmptyImage) {
  Machine machine{CpuMode::kReal16};
  EXPECT_EQ(error_of_run<SetupError>(machine, FlatImage{"nothing", std::vector<std::uint8_t>{}}),
            "the image nothing (0x0 bytes, loaded at 0x1000) is empty: it needs an instruction at "
            "least");
}

TEST(SetupTest, EntryOutsideMemory) {
  FlatImage image = kHalt;
  image.set_entry(Gva{0x2000000});
  Machine long_mode{CpuMode::kLong64};
  EXPECT_EQ(error_of_run<SetupError>(long_mode, image),
            "the entry 0x2000000 of halt is outside the guest's memory, RAM 0x0-0xffffff: enter it "
            "elsewhere, or map() memory there");
  Machine protected_mode{CpuMode::kProtected32};
  EXPECT_THAT(error_of_run<SetupError>(protected_mode, image), HasSubstr("outside the guest's"));
  EXPECT_THAT(error_of_run<SetupError>(protected_mode, kHalt, {.rip = 0xE0000000}),
              HasSubstr("the entry 0xe0000000 of halt is outside the guest's memory"));
  Machine real_mode{CpuMode::kReal16};
  EXPECT_EQ(error_of_run<SetupError>(real_mode, image),
            "the entry 0x2000000 of halt is not within CS, whose base is 0x0 and whose limit is "
            "0xffff: set CS, or enter the image elsewhere");
}

TEST(SetupTest, ValueTooWideForItsRegister) {
  Machine real_mode{CpuMode::kReal16};
  EXPECT_EQ(error_of_run<RegisterError>(real_mode, kHalt, {.rbx = 0x1'0000'0000}),
            "rbx = 0x100000000: real16 code sees 32 bits of it, and this is wider");
  Machine protected_mode{CpuMode::kProtected32};
  EXPECT_EQ(error_of_run<RegisterError>(protected_mode, kHalt, {.r9 = 1}),
            "r9 = 0x1: protected32 code has no r9");
}

TEST(SetupTest, MappingsThatOverlap) {
  Machine machine{CpuMode::kLong64};
  // The identity map of RAM is there already.
  machine.map({.gva = Gva{0x200000}, .gpa = Gpa{0x400000}});
  EXPECT_EQ(error_of_run<PagingError>(machine, kHalt),
            "the mapping 0x200000-0x200fff -> 0x400000 overlaps the mapping 0x0-0xffffff -> 0x0 "
            "(the guest starts with its memory mapped to itself: use remap, or unmap first)");
}

TEST(SetupTest, MappingsNeedPageTables) {
  Machine real_mode{CpuMode::kReal16};
  EXPECT_THROW(real_mode.map({.gva = Gva{0x1000}, .gpa = Gpa{0x1000}}), SetupError);
  Machine machine{CpuMode::kProtected32};
  try {
    machine.unmap(Gva{0x1000}, 0x1000);
    FAIL() << "there is nothing to unmap";
  } catch (const SetupError& error) {
    EXPECT_STREQ(error.what(),
                 "unmapping 0x1000: a guest that starts in protected32 has no page tables without "
                 "set_paging()");
  }
}

TEST(SetupTest, PagingThatTheStartModeCannotHave) {
  Machine real_mode{CpuMode::kReal16};
  EXPECT_THROW(real_mode.set_paging(PagingMode::k32Bit), SetupError);
  Machine long_mode{CpuMode::kLong64};
  EXPECT_THROW(long_mode.set_paging(PagingMode::kPae), SetupError);
  EXPECT_THROW(long_mode.set_paging(PagingMode::kNone), SetupError);
  Machine protected_mode{CpuMode::kProtected32};
  EXPECT_THROW(protected_mode.set_paging(PagingMode::k4Level), SetupError);
  protected_mode.set_paging(PagingMode::kPae);
  protected_mode.map({.gva = Gva{0x40000000}, .gpa = Gpa{0}});
  EXPECT_THROW(protected_mode.set_paging(PagingMode::k32Bit), PagingError)
      << "the mappings are made for PAE paging";
}

TEST(SetupTest, MappingsThatNeedMoreTablesThanThereIsRoomFor) {
  Machine machine{CpuMode::kLong64};
  machine.map(
      {.gva = Gva{1ULL << 40U}, .gpa = Gpa{0}, .size = 1ULL << 39U, .page_size = PageSize::k4KiB});
  EXPECT_THAT(error_of_run<PagingError>(machine, kHalt),
              HasSubstr("need 1024 MiB at least, and there is room for 255"));
}

TEST(SetupTest, PrivilegeLevelsThatNoProcessorHas) {
  Machine machine{CpuMode::kProtected32};
  machine.registers().cs = Segment::flat_code32(kUserCode32Selector);
  EXPECT_EQ(error_of_run<SetupError>(machine, kHalt),
            "cs = 0x2b is for CPL 3, and ss = 0x10 for CPL 0: set both");
  machine.registers().cs = Segment::flat_data(kDataSelector);
  EXPECT_EQ(error_of_run<SetupError>(machine, kHalt), "cs = 0x10: it is not a code segment");
}

TEST(SetupTest, Timeouts) {
  Machine machine{CpuMode::kReal16};
  EXPECT_THROW(machine.set_timeout(std::chrono::milliseconds{0}), SetupError);
  EXPECT_THROW(machine.set_timeout(std::chrono::hours{25}), SetupError);
  machine.set_timeout(std::chrono::milliseconds{1});
}

TEST(SetupTest, ModesThatNoGuestStartsIn) {
  EXPECT_THROW(Machine{CpuMode::kVirtual8086}, SetupError);
}

TEST_F(LongModeTest, ControlRegistersThatContradictOneAnother) {
  machine().registers().cr4->value = 0;  // no PAE, but paging and EFER.LME
  try {
    (void)run(guests::spin);
    FAIL() << "KVM accepts long mode without PAE";
  } catch (const SetupError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("KVM_SET_SREGS"), HasSubstr("cr4 = 0x0")));
  }
}

}  // namespace
