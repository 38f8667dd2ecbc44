// What the host can answer, provoked through a fake of the system calls.
#include <gtest/gtest-spi.h>
#include <hltest/hltest.h>
#include "kvm/error.h"
#include "kvm/ioctl.h"
#include "kvm/system.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "../message_of.h"
#include "fake_posix.h"

namespace {

using namespace hltest;
namespace kvm = hltest::internal::kvm;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FakeKvm : public ::testing::Test {
 protected:
  void SetUp() override { fake::reset(); }
};

std::string message_of_opening(int error_number) {
  fake::posix().open_error = error_number;
  return message_of<KvmUnavailable>([] { const kvm::System system; });
}

TEST_F(FakeKvm, MissingDeviceSaysWhatToDo) {
  EXPECT_THAT(message_of_opening(ENOENT),
              AllOf(StartsWith("open /dev/kvm: No such file or directory (ENOENT); "),
                    HasSubstr("load kvm_intel or kvm_amd")));
}

TEST_F(FakeKvm, ForbiddenDeviceSaysWhatToDo) {
  EXPECT_THAT(message_of_opening(EACCES),
              AllOf(StartsWith("open /dev/kvm: Permission denied (EACCES); "),
                    HasSubstr("usermod -aG kvm")));
}

TEST_F(FakeKvm, TooManyFilesSaysWhatToDo) {
  EXPECT_THAT(message_of_opening(EMFILE), HasSubstr("ulimit -n"));
}

TEST_F(FakeKvm, OtherErrorsNameTheCallAndErrno) {
  EXPECT_THAT(message_of_opening(EIO), StartsWith("open /dev/kvm: Input/output error (EIO); "));
}

TEST_F(FakeKvm, InterruptedCallsAreMadeAgain) {
  fake::posix().open_interruptions = 2;
  int interruptions = 3;
  fake::posix().ioctls[kvm::kGetApiVersion.number] = [&](std::uintptr_t argument) {
    return interruptions-- > 0 ? fake::fails_with(EINTR)(argument) : 12;
  };
  { const kvm::System system; }
  EXPECT_EQ(fake::posix().calls.size(), 4U);
  EXPECT_EQ(fake::posix().opened, 1);
  EXPECT_EQ(fake::posix().closed, 1);
}

TEST_F(FakeKvm, WrongApiVersion) {
  fake::posix().ioctls[kvm::kGetApiVersion.number] = [](std::uintptr_t) { return 11; };
  EXPECT_EQ(message_of<KvmUnavailable>([] { const kvm::System system; }),
            "/dev/kvm speaks KVM API version 11, and hltest version 12; use a Linux kernel from "
            "2.6.22 on");
  EXPECT_EQ(fake::posix().closed, 1) << "nothing leaks";
}

TEST_F(FakeKvm, ADeviceThatIsNotKvm) {
  fake::posix().ioctls.erase(kvm::kGetApiVersion.number);
  EXPECT_THAT(message_of<KvmUnavailable>([] { const kvm::System system; }),
              HasSubstr("KVM_GET_API_VERSION: Inappropriate ioctl for device (ENOTTY)"));
}

TEST_F(FakeKvm, NoRoomForOneMoreVm) {
  fake::posix().ioctls[kvm::kCreateVm.number] = fake::fails_with(ENOMEM);
  const kvm::System system;
  EXPECT_EQ(
      message_of<KvmUnavailable>([&] { (void)system.create_vm(); }),
      "KVM_CREATE_VM (machine type 0): Cannot allocate memory (ENOMEM); the host has no memory "
      "or room left for it: end other programs, or run fewer tests at a time");
  fake::posix().ioctls[kvm::kCreateVm.number] = fake::fails_with(EMFILE);
  EXPECT_THAT(message_of<KvmUnavailable>([&] { (void)system.create_vm(); }),
              HasSubstr("ulimit -n"));
}

TEST_F(FakeKvm, NoRoomForAVcpu) {
  fake::posix().ioctls[kvm::kCreateVcpu.number] = fake::fails_with(ENOMEM);
  EXPECT_THAT(message_of<KvmUnavailable>([] {
                Machine machine{CpuMode::kReal16};
                machine.create_vm();
              }),
              AllOf(StartsWith("KVM_CREATE_VCPU (vCPU 0): Cannot allocate memory (ENOMEM)"),
                    HasSubstr("run fewer tests at a time")));
}

TEST_F(FakeKvm, CpuidListGrowsUntilItFits) {
  std::vector<std::uint32_t> rooms;
  fake::posix().ioctls[kvm::kGetSupportedCpuid.number] = [&](std::uintptr_t argument) {
    auto* const header = reinterpret_cast<kvm::CpuidHeader*>(argument);
    rooms.push_back(header->nent);
    if (header->nent < 300) return fake::fails_with(E2BIG)(argument);
    header->nent = 2;
    const kvm_cpuid_entry2 entry{.function = 7,
                                 .index = 0,
                                 .flags = 0,
                                 .eax = 1,
                                 .ebx = 0,
                                 .ecx = 0,
                                 .edx = 0,
                                 .padding = {}};
    std::memcpy(header + 1, &entry, sizeof entry);
    return 0;
  };
  const kvm::System system;
  const auto entries = system.supported_cpuid();
  EXPECT_THAT(rooms, ::testing::ElementsAre(128, 256, 512));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].leaf.leaf, 7U);
}

TEST_F(FakeKvm, CpuidListThatNeverFitsIsAnError) {
  fake::posix().ioctls[kvm::kGetSupportedCpuid.number] = fake::fails_with(E2BIG);
  const kvm::System system;
  EXPECT_EQ(message_of<HostError>([&] { (void)system.supported_cpuid(); }),
            "KVM_GET_SUPPORTED_CPUID (room for 4096 entries): Argument list too long (E2BIG); the "
            "kernel's log may say more (dmesg)");
}

TEST_F(FakeKvm, MemorySlotErrorsNameTheSlot) {
  kvm::Vm vm = kvm::System{}.create_vm();
  std::array<std::uint8_t, 4096> memory{};
  fake::posix().ioctls[kvm::kSetUserMemoryRegion.number] = fake::fails_with(EEXIST);
  EXPECT_EQ(
      message_of<HostError>(
          [&] { vm.set_memory_slot(3, Gpa{0x1000}, memory, kvm::SlotAccess::kReadWrite); }),
      "KVM_SET_USER_MEMORY_REGION (slot 3, 0x1000 bytes at 0x1000): File exists (EEXIST); the "
      "kernel's log may say more (dmesg)");
}

TEST_F(FakeKvm, RunIsNotMadeAgainWhenASignalEndsIt) {
  kvm::Vcpu vcpu = kvm::System{}.create_vm().create_vcpu(0);
  fake::posix().ioctls[kvm::kRun.number] = fake::fails_with(EINTR);
  EXPECT_TRUE(std::holds_alternative<kvm::InterruptedExit>(vcpu.run()));
  fake::posix().ioctls[kvm::kRun.number] = fake::fails_with(EFAULT);
  EXPECT_EQ(message_of<HostError>([&] { vcpu.run(); }),
            "KVM_RUN: Bad address (EFAULT); the kernel's log may say more (dmesg)");
}

TEST_F(FakeKvm, GuestMemoryThatTheHostRefuses) {
  fake::posix().mmap_error = ENOMEM;
  EXPECT_EQ(message_of<MemoryError>([] { GuestMemory(64 * kKiB, CpuMode::kReal16); }),
            "a memory size of 0x10000 bytes is beyond this host: mmap of 0x10000 bytes: Cannot "
            "allocate memory (ENOMEM); the host has no memory or room left for it: end other "
            "programs, or run fewer tests at a time");
}

// The fixture without KVM: what happens to a test is what its SetUp does.
class Fixture : public RealModeTest {
 public:
  void set_up() { SetUp(); }
  void TestBody() override {}
  GuestMemory& guest_memory() { return memory(); }
};

std::vector<::testing::TestPartResult> results_of_set_up() {
  ::testing::TestPartResultArray results;
  Fixture fixture;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter{
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results};
    fixture.set_up();
    fixture.guest_memory().write<int>(Gpa{0}, 1);  // settings work though the test is skipped
  }
  std::vector<::testing::TestPartResult> list;
  for (int i = 0; i < results.size(); ++i) list.push_back(results.GetTestPartResult(i));
  return list;
}

TEST_F(FakeKvm, FixtureSkipsWithTheReason) {
  ASSERT_EQ(unsetenv("HLTEST_REQUIRE_KVM"), 0);
  fake::posix().open_error = ENOENT;
  const auto results = results_of_set_up();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].type(), ::testing::TestPartResult::kSkip);
  EXPECT_THAT(results[0].message(),
              AllOf(HasSubstr("KVM can't be used: open /dev/kvm"), HasSubstr("load kvm_intel")));
}

TEST_F(FakeKvm, FixtureFailsWhereKvmIsRequired) {
  ASSERT_EQ(setenv("HLTEST_REQUIRE_KVM", "1", 1), 0);
  fake::posix().ioctls[kvm::kCreateVm.number] = fake::fails_with(ENOMEM);
  const auto results = results_of_set_up();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].type(), ::testing::TestPartResult::kFatalFailure);
  EXPECT_THAT(results[0].message(),
              AllOf(HasSubstr("HLTEST_REQUIRE_KVM is set"), HasSubstr("ENOMEM")));
}

TEST_F(FakeKvm, ZeroRequiresNothing) {
  ASSERT_EQ(setenv("HLTEST_REQUIRE_KVM", "0", 1), 0);
  fake::posix().open_error = EACCES;
  const auto results = results_of_set_up();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].type(), ::testing::TestPartResult::kSkip);
}

TEST_F(FakeKvm, FixtureSetsUpWhereKvmWorks) { EXPECT_TRUE(results_of_set_up().empty()); }

}  // namespace
