#include <hltest/trace/checkpoint.h>

#include <array>

namespace hltest {

std::vector<MsrValue> read_msrs(const kvm::Vcpu& vcpu) {
  static constexpr std::array kMsrs = {
      Msr::kIa32SysenterCs,   Msr::kIa32SysenterEsp, Msr::kIa32SysenterEip, Msr::kIa32Pat,
      Msr::kIa32Star,         Msr::kIa32Lstar,       Msr::kIa32Cstar,       Msr::kIa32Fmask,
      Msr::kIa32KernelGsBase, Msr::kIa32TscAux};
  std::vector<MsrValue> values;
  values.reserve(kMsrs.size());
  for (const Msr msr : kMsrs) {
    if (const auto value = vcpu.msr(static_cast<std::uint32_t>(msr))) {
      values.push_back({msr, *value});
    }
  }
  return values;
}

}  // namespace hltest
