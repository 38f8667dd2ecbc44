#include "vm/kept_msrs.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hltest::internal {
namespace {

// MSRs that are clocks (the time-stamp counter, KVM's and Hyper-V's clocks), or that `Registers`
// holds: EFER, FS.base, GS.base.
constexpr std::array kLeftOut = {0x10U,        0x11U,        0x12U,        0x4B56'4D00U,
                                 0x4B56'4D01U, 0xC000'0080U, 0xC000'0100U, 0xC000'0101U,
                                 0x4000'0010U, 0x4000'0020U, 0x4000'0021U, 0x6E0U};

// What KVM_GET_MSR_INDEX_LIST leaves out (measured): MTRRs (SDM vol. 3, 12.11), the machine-check
// banks (15.3), MISC_ENABLE and PAT.
constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 8> kRanges = {{{0x3A, 0x3B},
                                                                             {0x179, 0x17B},
                                                                             {0x1A0, 0x1A0},
                                                                             {0x200, 0x20F},
                                                                             {0x250, 0x26F},
                                                                             {0x277, 0x277},
                                                                             {0x2FF, 0x2FF},
                                                                             {0x400, 0x47F}}};

}  // namespace

std::vector<Msr> kept_msrs(const kvm::System& system) {
  std::vector<Msr> msrs = system.msr_index_list();
  for (const auto& [first, last] : kRanges) {
    for (std::uint32_t index = first; index <= last; ++index) msrs.push_back(Msr{index});
  }
  std::erase_if(msrs, [](Msr msr) {
    return std::ranges::find(kLeftOut, static_cast<std::uint32_t>(msr)) != kLeftOut.end();
  });
  std::ranges::sort(msrs);
  msrs.erase(std::unique(msrs.begin(), msrs.end()), msrs.end());
  return msrs;
}

}  // namespace hltest::internal
