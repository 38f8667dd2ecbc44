#include "vm/debug_probe.h"

#include <algorithm>
#include <array>
#include <variant>

#include <hltest/memory_layout.h>
#include <hltest/x86/registers.h>

#include "kvm/mapping.h"
#include "kvm/system.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"

namespace hltest::internal {
namespace {

// Real mode on one page, which begins with the IVT.
class Probe {
 public:
  static constexpr std::uint64_t kCode = 0x400;

  explicit Probe(std::array<std::uint8_t, 4> code) {
    std::ranges::copy(code, memory_.bytes().begin() + kCode);
    vm_.set_tss_address(kKvmTssAddress);
    vm_.set_memory_slot(0, Gpa{0}, memory_.bytes(), kvm::SlotAccess::kReadWrite);
    Registers registers = vcpu_.registers();
    registers.cs = Segment::real_mode(0);
    registers.cs.type = Segment::kCodeReadExecute;
    registers.ss = Segment::real_mode(0);
    registers.rsp = kSize;
    registers.rip = kCode;
    vcpu_.set_registers(registers);
  }
  void set_handler(Vector vector, std::uint8_t at) {
    const std::size_t entry = static_cast<std::size_t>(vector) * 4;
    memory_.bytes()[entry] = at;
    memory_.bytes()[entry + 1] = kCode >> 8U;
  }
  kvm::Vcpu& vcpu() { return vcpu_; }
  bool ends_in_debug_exit() { return std::holds_alternative<kvm::DebugExit>(vcpu_.run()); }

 private:
  static constexpr std::uint64_t kSize = 4096;
  kvm::System system_;
  kvm::Mapping memory_ = kvm::Mapping::anonymous(kSize);
  kvm::Vm vm_ = system_.create_vm();
  kvm::Vcpu vcpu_ = vm_.create_vcpu(0);
};

}  // namespace

bool stops_at_breakpoints() {
  static const bool stops = [] {
    Probe probe{{0x90, 0xF4}};  // nop; hlt
    probe.vcpu().set_breakpoints(std::array{Gva{Probe::kCode + 1}});
    return probe.ends_in_debug_exit();
  }();
  return stops;
}

bool stops_in_handlers() {
  static const bool stops = [] {
    Probe probe{{0x0F, 0x0B, 0x90, 0xF4}};  // ud2; its handler: nop; hlt
    probe.set_handler(Vector::kInvalidOpcode, 2);
    probe.vcpu().set_single_step(true);
    return probe.ends_in_debug_exit();
  }();
  return stops;
}

}  // namespace hltest::internal
