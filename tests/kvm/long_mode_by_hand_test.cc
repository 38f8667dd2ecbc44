// Entering long mode from the host's side with nothing but this layer: create a VM,
// KVM_SET_TSS_ADDR, a memory region, a vCPU with its mapped kvm_run, special registers with page
// tables and CR3, general registers, run.
#include <gtest/gtest.h>
#include <hltest/memory_layout.h>
#include <hltest/x86/control_registers.h>
#include "kvm/error.h"
#include "kvm/mapping.h"
#include "kvm/system.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace {

using namespace hltest;
namespace kvm = hltest::internal::kvm;

std::optional<kvm::System> open_kvm(std::string& why_not) {
  try {
    return kvm::System{};
  } catch (const KvmUnavailable& unavailable) {
    why_not = unavailable.what();
    return std::nullopt;
  }
}

TEST(LongModeByHand, RunsToHltWithA64BitResult) {
  std::string why_not;
  const std::optional<kvm::System> system = open_kvm(why_not);
  if (!system.has_value()) {
    if (std::getenv("HLTEST_REQUIRE_KVM") != nullptr) FAIL() << why_not;
    GTEST_SKIP() << why_not;
  }

  constexpr std::uint64_t kPml4 = 0x2000;
  constexpr std::uint64_t kPdpt = 0x3000;
  constexpr std::uint64_t kPd = 0x4000;
  const kvm::Mapping memory = kvm::Mapping::anonymous(2 * kMiB);
  const auto put = [&](std::uint64_t at, std::uint64_t value) {
    std::memcpy(memory.data() + at, &value, sizeof value);
  };
  put(kPml4, kPdpt | 3);
  put(kPdpt, kPd | 3);
  put(kPd, 0x83);  // 2 MiB, present, writable
  // mov rax, cr0; mov rbx, cr3; mov rcx, cr4; mov rdx, 0x123456789ABCDEF0; shl rdx, 1; hlt
  constexpr std::array<std::uint8_t, 23> kCode = {0x0F, 0x20, 0xC0, 0x0F, 0x20, 0xDB, 0x0F, 0x20,
                                                  0xE1, 0x48, 0xBA, 0xF0, 0xDE, 0xBC, 0x9A, 0x78,
                                                  0x56, 0x34, 0x12, 0x48, 0xD1, 0xE2, 0xF4};
  std::memcpy(memory.data() + 0x1000, kCode.data(), kCode.size());

  kvm::Vm vm = system->create_vm();
  vm.set_tss_address(kKvmTssAddress);
  vm.set_memory_slot(0, Gpa{0}, memory.bytes(), kvm::SlotAccess::kReadWrite);
  kvm::Vcpu vcpu = vm.create_vcpu(0);
  vcpu.set_cpuid(system->supported_cpuid());

  Registers registers = vcpu.registers();
  registers.cr0.value = Cr0::kPe | Cr0::kEt | Cr0::kPg;
  registers.cr3.value = kPml4;
  registers.cr4.value = Cr4::kPae;
  registers.efer.value = Efer::kLme | Efer::kLma;
  registers.set_all_segments(Segment::flat_data(16));
  registers.cs = Segment::code64(8);
  registers.rip = 0x1000;
  registers.rflags.value = 2;
  vcpu.set_registers(registers);

  EXPECT_TRUE(std::holds_alternative<kvm::HltExit>(vcpu.run()));
  const Registers after = vcpu.registers();
  EXPECT_EQ(after.rax, Cr0::kPe | Cr0::kEt | Cr0::kPg);
  EXPECT_EQ(after.rbx, kPml4);
  EXPECT_EQ(after.rcx, Cr4::kPae);
  EXPECT_EQ(after.rdx, 0x2468ACF13579BDE0U);
  EXPECT_EQ(after.rip, 0x1000 + kCode.size());
  EXPECT_EQ(after.efer.value, Efer::kLme | Efer::kLma);
}

}  // namespace
