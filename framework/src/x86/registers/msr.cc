#include <hltest/x86/msr.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest {
namespace {

struct MsrName {
  Msr msr;
  const char* name;
};

constexpr std::array kNames = {
    MsrName{Msr::kIa32TimeStampCounter, "IA32_TIME_STAMP_COUNTER"},
    MsrName{Msr::kIa32ApicBase, "IA32_APIC_BASE"},
    MsrName{Msr::kIa32SysenterCs, "IA32_SYSENTER_CS"},
    MsrName{Msr::kIa32SysenterEsp, "IA32_SYSENTER_ESP"},
    MsrName{Msr::kIa32SysenterEip, "IA32_SYSENTER_EIP"},
    MsrName{Msr::kIa32MiscEnable, "IA32_MISC_ENABLE"},
    MsrName{Msr::kIa32Pat, "IA32_PAT"},
    MsrName{Msr::kIa32Efer, "IA32_EFER"},
    MsrName{Msr::kIa32Star, "IA32_STAR"},
    MsrName{Msr::kIa32Lstar, "IA32_LSTAR"},
    MsrName{Msr::kIa32Cstar, "IA32_CSTAR"},
    MsrName{Msr::kIa32Fmask, "IA32_FMASK"},
    MsrName{Msr::kIa32FsBase, "IA32_FS_BASE"},
    MsrName{Msr::kIa32GsBase, "IA32_GS_BASE"},
    MsrName{Msr::kIa32KernelGsBase, "IA32_KERNEL_GS_BASE"},
    MsrName{Msr::kIa32TscAux, "IA32_TSC_AUX"},
};

}  // namespace

std::string to_string(Msr msr) {
  const auto* const found = std::ranges::find(kNames, msr, &MsrName::msr);
  if (found != kNames.end()) return found->name;
  return fmt::format("MSR {:#x}", static_cast<std::uint32_t>(msr));
}

}  // namespace hltest
