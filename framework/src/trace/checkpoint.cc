#include "trace/checkpoint.h"

namespace hltest {
namespace {

// Those that KVM keeps for a guest (KVM_GET_MSR_INDEX_LIST), but for the host's own and the clocks.
std::vector<Msr> kept_msrs() {
  std::vector<Msr> msrs = {Msr::kIa32ApicBase,    Msr::kIa32SysenterCs,   Msr::kIa32SysenterEsp,
                           Msr::kIa32SysenterEip, Msr::kIa32MiscEnable,   Msr::kIa32Pat,
                           Msr::kIa32Star,        Msr::kIa32Lstar,        Msr::kIa32Cstar,
                           Msr::kIa32Fmask,       Msr::kIa32KernelGsBase, Msr::kIa32TscAux};
  constexpr std::uint32_t kTscAdjust = 0x3B;
  msrs.push_back(Msr{kTscAdjust});
  // MTRRs (SDM vol. 3, 12.11): variable ranges, fixed ranges, the default type.
  constexpr std::uint32_t kFirstVariable = 0x200;
  constexpr std::uint32_t kLastVariable = 0x20F;
  for (std::uint32_t index = kFirstVariable; index <= kLastVariable; ++index) {
    msrs.push_back(Msr{index});
  }
  for (const std::uint32_t index : {0x250U, 0x258U, 0x259U, 0x268U, 0x269U, 0x26AU, 0x26BU, 0x26CU,
                                    0x26DU, 0x26EU, 0x26FU, 0x2FFU}) {
    msrs.push_back(Msr{index});
  }
  return msrs;
}

}  // namespace

ExtendedState ExtendedState::of(const kvm::Vcpu& vcpu) {
  ExtendedState state{
      .xcrs = vcpu.xcrs(), .xsave = vcpu.xsave(), .debugregs = vcpu.debugregs(), .msrs = {}};
  for (const Msr msr : kept_msrs()) {
    if (const auto value = vcpu.msr(static_cast<std::uint32_t>(msr))) {
      state.msrs.push_back({msr, *value});
    }
  }
  return state;
}

void ExtendedState::restore(kvm::Vcpu& vcpu) const {
  // XCR0 says which parts of the XSAVE area are there.
  vcpu.set_xcrs(xcrs);
  vcpu.set_xsave(xsave);
  vcpu.set_debugregs(debugregs);
  for (const auto& [msr, value] : msrs) {
    // One that can be read need not take a value; then it has not changed either.
    static_cast<void>(vcpu.set_msr(static_cast<std::uint32_t>(msr), value));
  }
}

}  // namespace hltest
