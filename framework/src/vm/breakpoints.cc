#include "vm/breakpoints.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include <hltest/memory_layout.h>
#include <hltest/x86/registers.h>

#include "kvm/mapping.h"
#include "kvm/system.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"

namespace hltest::internal {
namespace {

// nop; hlt, with a breakpoint at the HLT.
bool stops_at_a_breakpoint() {
  constexpr std::uint64_t kPage = 4096;
  constexpr std::array<std::uint8_t, 2> kCode = {0x90, 0xF4};
  kvm::Mapping memory = kvm::Mapping::anonymous(kPage);
  std::ranges::copy(kCode, memory.bytes().begin());
  const kvm::System system;
  kvm::Vm vm = system.create_vm();
  vm.set_tss_address(kKvmTssAddress);
  vm.set_memory_slot(0, Gpa{0}, memory.bytes(), kvm::SlotAccess::kReadWrite);
  kvm::Vcpu vcpu = vm.create_vcpu(0);
  Registers registers = vcpu.registers();
  registers.cs = Segment::real_mode(0);
  registers.cs.type = Segment::kCodeReadExecute;
  registers.rip = 0;
  vcpu.set_registers(registers);
  vcpu.set_breakpoints(std::array{Gva{1}});
  return std::holds_alternative<kvm::DebugExit>(vcpu.run());
}

}  // namespace

bool Breakpoints::need_steps() const {
  const bool are_wanted = std::ranges::any_of(
      observers_, [](const Observer* observer) { return !observer->breakpoints().empty(); });
  if (!are_wanted) return false;
  static const bool work = stops_at_a_breakpoint();
  return !work;
}

void Breakpoints::set() {
  std::vector<Gva> wanted;
  for (const Observer* const observer : observers_) {
    const std::vector<Gva>& more = observer->breakpoints();
    wanted.insert(wanted.end(), more.begin(), more.end());
  }
  if (wanted == set_) return;
  guest_.vcpu().set_breakpoints(wanted);
  set_ = std::move(wanted);
}

std::optional<Gva> Breakpoints::reached(const kvm::Exit& exit) {
  if (!std::holds_alternative<kvm::DebugExit>(exit) || set_.empty()) return std::nullopt;
  const Gva address = guest_.registers().code_address();
  for (Observer* const observer : observers_) observer->on_breakpoint(address);
  return address;
}

}  // namespace hltest::internal
