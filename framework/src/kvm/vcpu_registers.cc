// The registers of a vCPU, between KVM's structures and the SDM's values.
#include <linux/kvm.h>

#include "kvm/ioctl.h"
#include "kvm/vcpu.h"

namespace hltest::internal::kvm {
namespace {

Segment from_kvm(const kvm_segment& segment) {
  return {.selector = segment.selector,
          .base = Gva{segment.base},
          .limit = segment.limit,
          .type = segment.type,
          .dpl = segment.dpl,
          .s = segment.s != 0,
          .present = segment.present != 0,
          .avl = segment.avl != 0,
          .l = segment.l != 0,
          .db = segment.db != 0,
          .granularity = segment.g != 0,
          .unusable = segment.unusable != 0};
}

kvm_segment to_kvm(const Segment& segment) {
  // Only G makes a limit this long, and KVM keeps no more than 20 bits of it without.
  const bool granularity = segment.granularity || segment.limit > 0xF'FFFF;
  return {.base = segment.base.value(),
          .limit = segment.limit,
          .selector = segment.selector,
          .type = segment.type,
          .present = segment.present,
          .dpl = segment.dpl,
          .db = segment.db,
          .s = segment.s,
          .l = segment.l,
          .g = granularity,
          .avl = segment.avl,
          .unusable = segment.unusable,
          .padding = 0};
}

DescriptorTableRegister from_kvm(const kvm_dtable& table) { return {Gva{table.base}, table.limit}; }

kvm_dtable to_kvm(const DescriptorTableRegister& table) {
  return {.base = table.base.value(), .limit = table.limit, .padding = {}};
}

// The busy flag of a TSS descriptor's type. A loaded TSS is busy, but AMD's processors keep the
// task register without the flag (KVM's svm_get_segment adds it when it is read), and QEMU's
// emulation of them stops at one that has it. Intel's refuse to enter a guest without it (SDM vol.
// 3, 27.3.1.2).
constexpr std::uint8_t kBusy = 0x2;
bool runs_on_amd() { return __builtin_cpu_is("amd") != 0; }

}  // namespace

Registers Vcpu::registers() const {
  kvm_regs regs{};
  kvm_sregs sregs{};
  call(fd_, kGetRegs, regs);
  call(fd_, kGetSregs, sregs);
  Registers registers;
  registers.rax = regs.rax;
  registers.rbx = regs.rbx;
  registers.rcx = regs.rcx;
  registers.rdx = regs.rdx;
  registers.rsi = regs.rsi;
  registers.rdi = regs.rdi;
  registers.rsp = regs.rsp;
  registers.rbp = regs.rbp;
  registers.r8 = regs.r8;
  registers.r9 = regs.r9;
  registers.r10 = regs.r10;
  registers.r11 = regs.r11;
  registers.r12 = regs.r12;
  registers.r13 = regs.r13;
  registers.r14 = regs.r14;
  registers.r15 = regs.r15;
  registers.rip = regs.rip;
  registers.rflags.value = regs.rflags;
  registers.cs = from_kvm(sregs.cs);
  registers.ds = from_kvm(sregs.ds);
  registers.es = from_kvm(sregs.es);
  registers.fs = from_kvm(sregs.fs);
  registers.gs = from_kvm(sregs.gs);
  registers.ss = from_kvm(sregs.ss);
  registers.tr = from_kvm(sregs.tr);
  registers.tr.type |= kBusy;
  registers.ldt = from_kvm(sregs.ldt);
  registers.gdt = from_kvm(sregs.gdt);
  registers.idt = from_kvm(sregs.idt);
  registers.cr0.value = sregs.cr0;
  registers.cr2 = Gva{sregs.cr2};
  registers.cr3.value = sregs.cr3;
  registers.cr4.value = sregs.cr4;
  registers.cr8 = sregs.cr8;
  registers.efer.value = sregs.efer;
  return registers;
}

void Vcpu::set_registers(const Registers& registers) {
  // What Registers does not hold (APIC base, pending interrupts) stays as KVM made it.
  kvm_sregs sregs{};
  call(fd_, kGetSregs, sregs);
  // There is no local APIC, and CPUID shows none.
  constexpr std::uint64_t kApicEnable = 1U << 11U;
  sregs.apic_base &= ~kApicEnable;
  sregs.cs = to_kvm(registers.cs);
  sregs.ds = to_kvm(registers.ds);
  sregs.es = to_kvm(registers.es);
  sregs.fs = to_kvm(registers.fs);
  sregs.gs = to_kvm(registers.gs);
  sregs.ss = to_kvm(registers.ss);
  sregs.tr = to_kvm(registers.tr);
  if (runs_on_amd()) sregs.tr.type = static_cast<std::uint8_t>(registers.tr.type & ~kBusy);
  sregs.ldt = to_kvm(registers.ldt);
  sregs.gdt = to_kvm(registers.gdt);
  sregs.idt = to_kvm(registers.idt);
  sregs.cr0 = registers.cr0.value;
  sregs.cr2 = registers.cr2.value();
  sregs.cr3 = registers.cr3.value;
  sregs.cr4 = registers.cr4.value;
  sregs.cr8 = registers.cr8;
  sregs.efer = registers.efer.value;
  call(fd_, kSetSregs, sregs);
  // Without an interrupt controller in the kernel, KVM_RUN takes CR8 from here.
  shared().cr8 = sregs.cr8;
  kvm_regs regs{.rax = registers.rax,
                .rbx = registers.rbx,
                .rcx = registers.rcx,
                .rdx = registers.rdx,
                .rsi = registers.rsi,
                .rdi = registers.rdi,
                .rsp = registers.rsp,
                .rbp = registers.rbp,
                .r8 = registers.r8,
                .r9 = registers.r9,
                .r10 = registers.r10,
                .r11 = registers.r11,
                .r12 = registers.r12,
                .r13 = registers.r13,
                .r14 = registers.r14,
                .r15 = registers.r15,
                .rip = registers.rip,
                .rflags = registers.rflags.value};
  call(fd_, kSetRegs, regs);
}

}  // namespace hltest::internal::kvm
