// What a vCPU holds besides its registers, between KVM's structures and values.
#include <linux/kvm.h>

#include <cstring>

#include "kvm/ioctl.h"
#include "kvm/vcpu.h"

namespace hltest::internal::kvm {

XState Vcpu::xstate() const {
  kvm_xcrs xcrs{};
  call(fd_, kGetXcrs, xcrs);
  XState state;
  if (xcrs.nr_xcrs > 0) state.xcr0 = xcrs.xcrs[0].value;
  XsaveArea area{};
  call(fd_, kGetXsave, area);
  static_assert(sizeof area == sizeof state.area);
  std::memcpy(state.area.data(), &area, sizeof area);
  return state;
}

void Vcpu::set_xstate(const XState& state) {
  // XCR0 says which parts of the XSAVE area are there.
  kvm_xcrs xcrs{};
  xcrs.nr_xcrs = 1;
  xcrs.xcrs[0].value = state.xcr0;
  call(fd_, kSetXcrs, xcrs);
  XsaveArea area{};
  std::memcpy(&area, state.area.data(), sizeof area);
  call(fd_, kSetXsave, area);
}

DebugRegisters Vcpu::debug_registers() const {
  kvm_debugregs raw{};
  call(fd_, kGetDebugregs, raw);
  DebugRegisters registers{.dr6 = raw.dr6, .dr7 = raw.dr7};
  for (std::size_t i = 0; i < registers.dr.size(); ++i) registers.dr.at(i) = raw.db[i];
  return registers;
}

void Vcpu::set_debug_registers(const DebugRegisters& registers) {
  kvm_debugregs raw{};
  raw.dr6 = registers.dr6;
  raw.dr7 = registers.dr7;
  for (std::size_t i = 0; i < registers.dr.size(); ++i) raw.db[i] = registers.dr.at(i);
  call(fd_, kSetDebugregs, raw);
}

PendingEvents Vcpu::pending_events() const {
  kvm_vcpu_events raw{};
  call(fd_, kGetVcpuEvents, raw);
  return {.exception = {.injected = raw.exception.injected != 0,
                        .pending = raw.exception.pending != 0,
                        .vector = raw.exception.nr,
                        .has_error_code = raw.exception.has_error_code != 0,
                        .error_code = raw.exception.error_code},
          .interrupt = {.injected = raw.interrupt.injected != 0,
                        .vector = raw.interrupt.nr,
                        .soft = raw.interrupt.soft != 0,
                        .shadow = raw.interrupt.shadow},
          .nmi = {.injected = raw.nmi.injected != 0,
                  .pending = raw.nmi.pending,
                  .masked = raw.nmi.masked != 0}};
}

void Vcpu::set_pending_events(const PendingEvents& events) {
  kvm_vcpu_events raw{};
  // Without its capability (KVM_CAP_EXCEPTION_PAYLOAD) KVM does not tell pending from injected.
  raw.exception.injected = events.exception.injected || events.exception.pending;
  raw.exception.nr = events.exception.vector;
  raw.exception.has_error_code = events.exception.has_error_code;
  raw.exception.error_code = events.exception.error_code;
  raw.interrupt.injected = events.interrupt.injected;
  raw.interrupt.nr = events.interrupt.vector;
  raw.interrupt.soft = events.interrupt.soft;
  raw.interrupt.shadow = events.interrupt.shadow;
  raw.nmi.injected = events.nmi.injected;
  raw.nmi.pending = events.nmi.pending;
  raw.nmi.masked = events.nmi.masked;
  raw.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
  call(fd_, kSetVcpuEvents, raw);
}

}  // namespace hltest::internal::kvm
