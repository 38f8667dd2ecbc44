#include "vm/processor_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kvm/system.h"

namespace hltest::internal {
namespace {

struct ControlBit {
  std::uint64_t bit;
  const char* name;
  CpuidFeature feature;
};

// SDM vol. 3, 2.5.
constexpr std::array kCr4Bits = {
    ControlBit{Cr4::kLa57, "CR4.LA57 (5-level paging)", kCpuidLa57},
    ControlBit{Cr4::kSmep, "CR4.SMEP", kCpuidSmep},
    ControlBit{Cr4::kSmap, "CR4.SMAP", kCpuidSmap},
    ControlBit{Cr4::kUmip, "CR4.UMIP", kCpuidUmip},
    ControlBit{Cr4::kPcide, "CR4.PCIDE", kCpuidPcid},
    ControlBit{Cr4::kFsgsbase, "CR4.FSGSBASE", kCpuidFsgsbase},
    ControlBit{Cr4::kOsxsave, "CR4.OSXSAVE", kCpuidXsave},
};

bool shows(const std::vector<kvm::CpuidEntry>& cpuid, const CpuidFeature& feature) {
  return (answer(cpuid, feature.leaf).*feature.where >> feature.bit & 1U) != 0;
}

}  // namespace

const std::vector<kvm::CpuidEntry>& host_cpuid() {
  // Not quick to ask for.
  static const std::vector<kvm::CpuidEntry> entries = without_apic(kvm::System{}.supported_cpuid());
  return entries;
}

PagingFeatures paging_features_of(const std::vector<kvm::CpuidEntry>& cpuid) {
  constexpr std::uint32_t kAddressSizes = 0x8000'0008;
  const std::uint32_t eax = answer(cpuid, {kAddressSizes}).eax;
  return {.physical_bits = eax == 0 ? 36 : std::clamp(eax & 0xFFU, 32U, 52U),
          .gigabyte_pages = shows(cpuid, kCpuidPage1GiB)};
}

PagingFeatures paging_features_of(const CpuidEdits& edits) {
  return paging_features_of(edits.empty() ? host_cpuid() : edited(edits, host_cpuid()));
}

std::string missing_feature(const Registers& registers, const std::vector<kvm::CpuidEntry>& cpuid) {
  for (const ControlBit& each : kCr4Bits) {
    if ((registers.cr4.value & each.bit) == 0 || shows(cpuid, each.feature)) continue;
    return fmt::format(
        "{} requires a feature that the guest's CPUID does not show (leaf {:#x}, bit {}): start "
        "without it, or ask HostCan first",
        each.name, each.feature.leaf.leaf, each.feature.bit);
  }
  return {};
}

}  // namespace hltest::internal
