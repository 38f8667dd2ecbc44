#include "machine/single_step.h"

namespace hltest {
namespace {

bool is_done(const kvm::Exit& exit) {
  return std::holds_alternative<kvm::DebugExit>(exit) ||
         std::holds_alternative<kvm::InterruptedExit>(exit);
}

}  // namespace

kvm::Exit finish_access(kvm::Vcpu& vcpu, const AccessServer& serve) {
  kvm::Exit exit = vcpu.complete_instruction();
  while (!is_done(exit) && serve(exit)) exit = vcpu.complete_instruction();
  return exit;
}

kvm::Exit single_step(kvm::Vcpu& vcpu, const Registers& before, const AccessServer& serve) {
  vcpu.set_single_step(true);
  for (;;) {
    kvm::Exit exit = vcpu.run();
    if (!serve(exit)) return exit;
    exit = finish_access(vcpu, serve);
    if (!std::holds_alternative<kvm::InterruptedExit>(exit)) return exit;
    // KVM's emulator has no debug exit for an instruction that ends with a write to a port or MMIO.
    const kvm_regs now = vcpu.regs();
    if (now.rip != before.rip || now.rcx != before.rcx) return kvm::DebugExit{};
  }
}

}  // namespace hltest
